"""JSON as requests bring it: no key twice, no NaN, not too deep, each member's own text kept."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hsc.errors import InvalidRecordError

DEPTH = 64
"""How many arrays and objects may stand in each other."""

_BLANKS = re.compile(r"[ \t\r\n]*")
# What opens or closes a level, and the texts in which it must not be looked for. A text that never
# ends is one match too: else each of its quotes would be tried as a beginning.
_LEVELS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
# Python itself refuses whole numbers of some thousand digits; no double reaches beyond these.
_DIGITS = 308


class _Wrong:
    """What stands in a document that was read where it must not have been written so."""

    def __init__(self, why: str) -> None:
        self.why = why


def read_json(body: bytes, *, depth: int = DEPTH) -> Any:
    r"""Read a JSON document in UTF-8.

    Raises
    ------
    InvalidRecordError
        It is no JSON, is too deep, or has a key twice, NaN or a number too large for a double; its
        ``faults`` point to these.

    Examples
    --------
    >>> read_json(b'{"a": [1, "x"]}')
    {'a': [1, 'x']}
    >>> read_json(b'{"a": {"b": 1, "b": 2}}')
    Traceback (most recent call last):
    hsc.errors.InvalidRecordError: the key 'b' stands twice
      where: /a
    """
    text = _text(body)
    _check_depth(text, depth)
    wrong: list[_Wrong] = []
    try:
        document = _decoder(wrong).decode(text)
    except json.JSONDecodeError as error:
        raise InvalidRecordError(
            f"the body is no JSON: {error.msg}", where=f"line {error.lineno}, column {error.colno}"
        ) from error
    if wrong:
        faults = [(pointer, found.why) for pointer, found in _wrong_ones(document, "")]
        raise InvalidRecordError(faults[0][1], where=faults[0][0] or "/", faults=faults)
    return document


def read_members(body: bytes, *, depth: int = DEPTH) -> tuple[Any, dict[str, str]]:
    """Read a JSON document as `read_json` does, and give its members' texts as `members` does.

    Lines of an import are read so: once.

    Raises
    ------
    InvalidRecordError
        As `read_json`.

    Examples
    --------
    >>> read_members(b'{"a": [1,  2.50]}')
    ({'a': [1, 2.5]}, {'a': '[1,  2.50]'})
    """
    text = _text(body)
    _check_depth(text, depth)
    read = None
    with suppress(json.JSONDecodeError):
        read = _read_parts(text)
    # What is wrong with a document is told in one place.
    return (read_json(body, depth=depth), members(text)) if read is None else read


def members(text: str) -> dict[str, str]:
    r"""Give the text of each member of a JSON object, exactly as it was written.

    The document must have been read by `read_json` before; what is no object has no members.

    Examples
    --------
    >>> members('{ "a": [1,  2.50], "b":"\\u00e5" }')
    {'a': '[1,  2.50]', 'b': '"\\u00e5"'}
    """
    return {str(name): value for name, value in _parts(text, "{", "}")}


def items(text: str) -> list[str]:
    """Give the text of each item of a JSON array, exactly as it was written.

    Examples
    --------
    >>> items('[ {"a": 1 } , 2.0]')
    ['{"a": 1 }', '2.0']
    """
    return [value for _, value in _parts(text, "[", "]")]


def _parts(text: str, opening: str, closing: str) -> Iterator[tuple[str | None, str]]:
    decoder = json.JSONDecoder()
    at = _after_blanks(text, 0)
    if text[at : at + 1] != opening:
        return
    at = _after_blanks(text, at + 1)
    while text[at] != closing:
        name = None
        if opening == "{":
            name, at = decoder.raw_decode(text, at)
            at = _after_blanks(text, _after_blanks(text, at) + 1)
        _, end = decoder.raw_decode(text, at)
        yield name, text[at:end]
        at = _after_blanks(text, end)
        at = _after_blanks(text, at + (text[at] == ","))


def _read_parts(text: str) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Read an object member by member; None: it is none, or something is wrong with it."""
    wrong: list[_Wrong] = []
    decoder = _decoder(wrong)
    values, texts = dict[str, Any](), dict[str, str]()
    at = _after_blanks(text, 0)
    sign = "," if text[at : at + 1] == "{" else ""
    while sign == ",":
        at = _after_blanks(text, at + 1)
        if text[at : at + 1] != '"':
            return None
        name, at = decoder.raw_decode(text, at)
        at = _after_blanks(text, at)
        if text[at : at + 1] != ":" or name in values:
            return None
        at = _after_blanks(text, at + 1)
        values[name], end = decoder.raw_decode(text, at)
        texts[name] = text[at:end]
        at = _after_blanks(text, end)
        sign = text[at : at + 1]
    whole = sign == "}" and _after_blanks(text, at + 1) == len(text)
    return (values, texts) if whole and not wrong else None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRecordError(
            f"the body is no UTF-8: {error.reason}", where=f"byte {error.start}"
        ) from error


def _check_depth(text: str, allowed: int) -> None:
    # Counted before it is parsed: Python's own parser recurses.
    if text.count("[") + text.count("{") <= allowed:
        return
    depth = 0
    for match in _LEVELS.finditer(text):
        sign = text[match.start()]
        if sign in "[{":
            depth += 1
            if depth > allowed:
                raise InvalidRecordError(
                    f"the document is deeper than {allowed} levels",
                    where=f"character {match.start()}",
                )
        elif sign in "]}":
            depth -= 1


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _decoder(wrong: list[_Wrong]) -> json.JSONDecoder:
    def mark(why: str) -> _Wrong:
        wrong.append(_Wrong(why))
        return wrong[-1]

    def read_object(pairs: list[tuple[str, Any]]) -> Any:
        read = dict(pairs)
        if len(read) == len(pairs):
            return read
        often = Counter(name for name, _ in pairs)
        return mark(f"the key {often.most_common(1)[0][0]!r} stands twice")

    def read_float(text: str) -> Any:
        value = float(text)
        return mark(f"{text[:40]} is too large for a number") if math.isinf(value) else value

    def read_int(text: str) -> Any:
        return mark("too large for a number") if len(text) > _DIGITS else int(text)

    return json.JSONDecoder(
        object_pairs_hook=read_object,
        parse_constant=lambda text: mark(f"{text} is no number in JSON"),
        parse_float=read_float,
        parse_int=read_int,
    )


def _wrong_ones(value: Any, pointer: str) -> Iterator[tuple[str, _Wrong]]:
    if isinstance(value, _Wrong):
        yield pointer, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _wrong_ones(inner, f"{pointer}/{escape(name)}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _wrong_ones(inner, f"{pointer}/{place}")


def escape(name: object) -> str:
    """Give a member's name as a part of a JSON pointer (RFC 6901).

    Examples
    --------
    >>> escape("a/b~c")
    'a~1b~0c'
    """
    return str(name).replace("~", "~0").replace("/", "~1")
