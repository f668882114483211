"""SciCat's filters mean what SciCat means by them, and what can't be read is an error."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import InvalidQueryError
from hsc_catalog.faces.scicat.asking import Asked, read_filter, read_full_query
from hsc_catalog.faces.scicat.scientific import compile_scientific
from hsc_catalog.faces.scicat.where import compile_where, safe_pattern

RECORD = {
    "pid": "hsc.maxiv/1",
    "type": "raw",
    "proposalIds": ["p1", "p2"],
    "creationTime": "2026-01-02T01:00:00+01:00",
    "runNumber": "a-35266",
    "dataQualityMetrics": 3,
    "keywords": ["SAXS"],
    "techniques": [{"pid": "t", "name": "SAXS"}],
    "scientificMetadata": {
        "temperature": {"value": 20.0, "unit": "degC"},
        "beam.energy": {"value": 12400, "unit": "eV"},
        "flux": {"value": 3, "unit": "ph/s"},
        "note": "lysozyme in water",
    },
}

MEANT = [
    {},
    {"type": "raw"},
    {"proposalIds": "p2"},
    {"proposalIds": ["p1", "p2"]},
    {"proposalId": "p1"},
    {"type": {"$in": ["raw", "derived"]}},
    {"type": {"$nin": ["derived"]}},
    {"type": {"$ne": "derived"}},
    {"type": {"$not": {"$eq": "derived"}}},
    {"dataQualityMetrics": {"$gt": 2, "$lt": 4}},
    {"dataQualityMetrics": {"$gte": 3, "$lte": 3}},
    {"creationTime": "2026-01-02T00:00:00Z"},
    {"creationTime": {"$gte": "2026-01-01", "$lt": "2026-01-03"}},
    {"runNumber": "a-35266"},
    {"keywords": {"$regex": "^sa", "$options": "i"}},
    {"keywords": {"$regex": ".*AX.*"}},
    {"techniques.name": "SAXS"},
    {"comment": {"$exists": False}},
    {"comment": None},
    {"scientificMetadata.temperature.value": {"$gt": 19}},
    {"scientificMetadata.beam.energy.unit": "eV"},
    {"$and": [{"type": "raw"}, {"keywords": "SAXS"}]},
    {"$or": [{"type": "derived"}, {"keywords": "SAXS"}]},
    {"$nor": [{"type": "derived"}, {"keywords": "WAXS"}]},
]
NOT_MEANT = [
    {"type": "derived"},
    {"proposalIds": "p"},
    {"dataQualityMetrics": "3"},
    {"dataQualityMetrics": True},
    {"dataQualityMetrics": {"$gt": 3}},
    {"dataQualityMetrics": {"$gt": "2"}},
    {"runNumber": {"$gt": "b"}},
    {"comment": {"$exists": True}},
    {"$and": [{"type": "raw"}, {"type": "derived"}]},
    {"$nor": [{"type": "raw"}]},
    {"keywords": {"$regex": "^AXS"}},
]
UNREADABLE = [
    {"colour": "red"},
    {"type": {"$where": "1"}},
    {"$expr": {}},
    {"$or": []},
    {"type": {"$in": "raw"}},
    {"dataQualityMetrics": {"$gt": None}},
    {"creationTime": {"$gt": "yesterday"}},
    {"keywords": {"$regex": "(a+)+b"}},
    {"keywords": {"$regex": "["}},
    {"keywords": {"$regex": "a", "$options": "q"}},
    [],
]


@pytest.mark.parametrize("where", MEANT, ids=json.dumps)
def test_a_record_that_meets_a_where_is_meant(where: dict[str, object]) -> None:
    assert compile_where(where)(RECORD)


@pytest.mark.parametrize("where", NOT_MEANT, ids=json.dumps)
def test_a_record_that_does_not_meet_it_is_not(where: dict[str, object]) -> None:
    assert not compile_where(where)(RECORD)


@pytest.mark.parametrize("where", UNREADABLE, ids=json.dumps)
def test_a_where_that_is_not_understood_is_an_error_and_matches_nothing(where: object) -> None:
    with pytest.raises(InvalidQueryError):
        compile_where(where)


def test_a_where_nested_without_end_is_an_error() -> None:
    where: dict[str, object] = {"type": "raw"}
    for _ in range(200):
        where = {"$and": [where]}
    with pytest.raises(InvalidQueryError):
        compile_where(where)


@given(st.text(alphabet="ab.*+?()[]{}|^$\\1,", max_size=20))
def test_no_pattern_that_is_taken_keeps_the_server_busy(pattern: str) -> None:
    try:
        compiled = safe_pattern(pattern)
    except InvalidQueryError:
        return
    began = time.process_time()
    compiled.search("a" * 2000 + "!")
    assert time.process_time() - began < 5


@given(st.text(max_size=30))
def test_a_text_that_is_escaped_finds_itself(text: str) -> None:
    asked = re.escape(text)
    try:
        compiled = safe_pattern(asked)
    except InvalidQueryError:
        return
    assert compiled.search(f"before {text} after")


SCIENTIFIC = [
    ({"lhs": "temperature", "relation": "GREATER_THAN", "rhs": 290, "unit": "K"}, True),
    ({"lhs": "temperature", "relation": "LESS_THAN", "rhs": 290, "unit": "K"}, False),
    ({"lhs": "beam.energy", "relation": "EQUAL_TO_NUMERIC", "rhs": 12.4, "unit": "keV"}, True),
    ({"lhs": "beam.energy", "relation": "RANGE", "rhs": [12, 13], "unit": "keV"}, True),
    # An energy is no length, and a unit that nobody knows is compared by its spelling.
    ({"lhs": "beam.energy", "relation": "GREATER_THAN", "rhs": 0, "unit": "m"}, False),
    ({"lhs": "flux", "relation": "EQUAL_TO_NUMERIC", "rhs": 3, "unit": "ph/s"}, True),
    ({"lhs": "flux", "relation": "EQUAL_TO_NUMERIC", "rhs": 3, "unit": "1/s"}, False),
    ({"lhs": "flux", "relation": "GREATER_THAN_OR_EQUAL", "rhs": 3}, True),
    ({"lhs": "note", "relation": "CONTAINS_STRING", "rhs": "LYSOZYME"}, True),
    ({"lhs": "note", "relation": "EQUAL_TO_STRING", "rhs": "lysozyme"}, False),
]


@pytest.mark.parametrize(("condition", "meant"), SCIENTIFIC)
def test_scientific_conditions_compare_in_si(condition: dict[str, object], meant: bool) -> None:
    assert compile_scientific([condition])(RECORD) is meant


def test_two_conditions_on_one_name_both_count() -> None:
    above = {"lhs": "temperature", "relation": "GREATER_THAN", "rhs": 280, "unit": "K"}
    below = {"lhs": "temperature", "relation": "LESS_THAN", "rhs": 285, "unit": "K"}
    assert not compile_scientific([above, below])(RECORD)


def test_a_full_query_takes_lists_spans_and_old_names() -> None:
    asked = read_full_query(
        '{"proposalId": ["p9", "p2"], '
        '"creationTime": {"begin": "2026-01-01", "end": "2026-02-01"}}',
        '{"limit": 5, "skip": 2, "order": "creationTime:desc"}',
    )
    assert asked.predicate()(RECORD)
    assert (asked.limit, asked.skip, asked.sort) == (5, 2, (("creationTime", True),))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"where": []}',
        '{"colour": 1}',
        '{"limits": {"limit": -1}}',
        '{"limits": {"limit": "many"}}',
        '{"limits": {"sort": {"creationTime": "up"}}}',
        '{"limits": {"sort": {"$where": "asc"}}}',
        '{"include": ["everything"]}',
        '{"fields": [1]}',
        '{"where": ' * 40 + "1" + "}" * 40,
        "[" * 100_000,
    ],
)
def test_a_filter_that_can_not_be_read_is_an_error(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        read_filter(text)


def test_sorting_puts_what_lacks_the_field_last() -> None:
    records = [{"pid": "c"}, {"pid": "b", "size": 2}, {"pid": "a", "size": 1}]
    for descending, order in ((False, "abc"), (True, "bac")):
        asked = Asked(sort=(("size", descending),))
        assert "".join(each["pid"] for each in asked.ordered(records)) == order


@pytest.mark.parametrize(
    "text", ['{"where": {"pid": "\\ud800"}}', '{"limits": {"skip": 99999999999999999999}}']
)
def test_what_no_database_takes_is_a_wrong_filter(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        read_filter(text)
