"""Records: frozen, strict, and the same again after JSON."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hsc.model import (
    ArraySummary,
    Condition,
    Edge,
    Failure,
    Lineage,
    Node,
    Query,
    Record,
    SearchResult,
    Way,
    canonical_json,
    now,
)
from hsc.testing.contracts import example_activity, example_dataset

EXAMPLES: list[Record] = [
    example_dataset(),
    example_activity(),
    example_activity(
        failure=Failure(error="CorruptShardError", message="a", where="b", next="c"),
        generated=(example_dataset().pid.at(2),),
        used=("blake3:aa",),
    ),
    Query(text="å", where=(Condition.parse("photon_energy > 12 keV"),)),
    SearchResult(total=1, datasets=(example_dataset(),)),
    Lineage(
        nodes=(Node(id="agent:anna", kind="agent", title="anna"),),
        edges=(Edge(subject="a", predicate="used", object="b", role="buffer"),),
    ),
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda record: type(record).__name__)
def test_a_record_survives_json(record: Record) -> None:
    text = json.dumps(record.document(), allow_nan=False)
    assert type(record).model_validate(json.loads(text)) == record


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda record: type(record).__name__)
def test_a_record_takes_no_unknown_field_and_no_change(record: Record) -> None:
    with pytest.raises(ValidationError):
        type(record).model_validate({**record.document(), "surprise": 1})
    name = next(iter(type(record).model_fields))
    with pytest.raises(ValidationError):
        setattr(record, name, None)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_parameters_of_an_activity_survive_json(parameters: dict[str, Any]) -> None:
    activity = example_activity(parameters=parameters)
    again = type(activity).model_validate(json.loads(json.dumps(activity.document())))
    assert again == activity


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001
def test_times_keep_their_moment_in_utc(moment: datetime, hours: int) -> None:
    given_time = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    dataset = example_dataset(created=given_time)
    assert dataset.created == given_time
    assert dataset.created.tzinfo is UTC
    again = type(dataset).model_validate(json.loads(json.dumps(dataset.document())))
    assert again.created == given_time


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="zone"):
        example_dataset(created=datetime(2026, 11, 22))  # noqa: DTZ001


def test_now_is_in_utc_to_the_millisecond() -> None:
    moment = now()
    assert moment.utcoffset() == timedelta(0)
    assert moment.microsecond % 1000 == 0
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


@given(json_values)
def test_canonical_json_is_json_in_one_form(value: Any) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@given(st.dictionaries(st.text(), st.integers(), max_size=5))
def test_canonical_json_does_not_know_the_order_of_insertion(value: dict[str, int]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}])
def test_canonical_json_refuses_what_json_lacks(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(value)


@pytest.mark.parametrize(
    ("shapes", "frames"),
    [
        ([], None),
        ([(100, 100)], None),
        ([(7, 10, 10)], 7),
        ([(9, 2, 2), (7, 10, 10), (1000,)], 7),
        ([(3, 4, 10, 10)], 3),
    ],
)
def test_frames_are_those_of_the_largest_stack(
    shapes: list[tuple[int, ...]], frames: int | None
) -> None:
    arrays = tuple(
        ArraySummary(
            path=f"/{n}", shape=shape, dtype="uint16", chunks=shape, shards=shape, way=Way.RECODE
        )
        for n, shape in enumerate(shapes)
    )
    assert example_dataset(arrays=arrays).frames == frames
