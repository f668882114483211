"""Lines of an import are read once: what comes out is what reading them twice gave."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from hsc.errors import InvalidRecordError
from hsc_catalog.faces.strict_json import members, read_json, read_members

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)
written = st.builds(
    lambda value, gap: json.dumps(value, indent=gap), values, st.none() | st.just(1)
)


def outcome(read: Any, line: bytes) -> Any:
    try:
        return repr(read(line))
    except InvalidRecordError as error:
        return error.message, error.where


def twice(line: bytes) -> Any:
    return read_json(line), members(line.decode())


@given(
    written,
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(['"', ",", ":", "{", "}", "a", " "]))),
)
@example('{"a": 1, "a": 2}', [])
@example('{"a": {"b": 1, "b": 2}}', [])
@example('{"a": NaN}', [])
@example('{"a": 1,}', [])
@example('{"a": 1} 2', [])
@example("{}", [])
@example('{"\\u0061": "\\ud800"}', [])
def test_one_reading_gives_what_two_gave(text: str, slips: list[tuple[int, str]]) -> None:
    for place, sign in slips:
        text = text[:place] + sign + text[place + 1 :]
    line = text.encode()
    assert outcome(read_members, line) == outcome(twice, line)
