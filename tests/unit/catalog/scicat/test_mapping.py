"""What SciCat's clients post comes back as it was, and hsc's own datasets read as SciCat's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.model import Access, Amendment, Dataset, Origin, Person, Pid, Quantity
from hsc_catalog.faces.scicat import fields
from hsc_catalog.faces.scicat.taking import dataset_from, groups_of, kept_document
from hsc_catalog.faces.scicat.validating import faults
from hsc_catalog.faces.scicat.wording import Standing, instant, worded

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
PID = Pid.parse("PID.prefix.a0b1/0d4ff2a8-7a0c-4a3c-9d3e-000000000001")
POSTED = {
    "contactEmail": "ponder@uu.am",
    "creationTime": "2004-06-13T01:45:28.100Z",
    "datasetName": "Magic",
    "owner": "Ponder Stibbons",
    "ownerGroup": "uu",
    "sourceFolder": "/hex/data",
    "type": "raw",
}

NUMBER = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | NUMBER | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
).filter(lambda value: value == value)
OBJECT = st.dictionaries(st.text(), JSON, max_size=4)
MEASURED = st.fixed_dictionaries({"value": NUMBER, "unit": st.text(max_size=5)})
TIME = st.datetimes(timezones=st.just(UTC), min_value=datetime(2, 1, 1)).map(instant)  # noqa: DTZ001


def _values(name: str) -> st.SearchStrategy[Any]:
    if name in fields.TIMES:
        return TIME
    if name in fields.EMAILS:
        return st.emails() | st.just("a@b.se; c@d.de")
    if name in fields.TEXTS:
        return st.text(min_size=1)
    if name in fields.TEXT_LISTS:
        return st.lists(st.text(), max_size=3)
    if name == "scientificMetadata":
        return OBJECT | st.dictionaries(st.text(), MEASURED, max_size=3)
    if name == "techniques":
        return st.lists(
            st.fixed_dictionaries({"pid": st.text(), "name": st.text()}), min_size=1, max_size=3
        )
    if name == "relationships":
        posted = st.fixed_dictionaries({"pid": st.text(), "relationship": st.text()})
        return st.lists(posted, min_size=1, max_size=2)
    if name in fields.OBJECTS:
        return OBJECT
    return st.booleans() if name in fields.FLAGS else st.integers(-(2**63), 2**63)


UPLOADED = sorted(fields.KNOWN - fields.MADE_HERE - {"pid", "datasetlifecycle", "isPublished"})
POSTS = st.fixed_dictionaries(
    {name: _values(name) for name in fields.REQUIRED},
    optional={name: _values(name) for name in UPLOADED if name not in fields.REQUIRED},
)


def _taken(document: dict[str, Any]) -> Dataset:
    origin = Origin(catalog="http://127.0.0.1/api", pid=str(PID))
    return dataset_from(document, pid=PID, facility="uu", origin=origin, created=AT)


def _standing(record: Dataset, document: dict[str, Any] | None, **said: Any) -> Standing:
    groups = groups_of(document) if document is not None else ()
    access = said.pop("access", Access(visibility="group", owner="user1", groups=groups))
    return Standing(record, access, created=AT, updated=AT, document=document, **said)


@settings(max_examples=30)
@given(POSTS)
def test_every_field_that_is_posted_comes_back_as_it_was(posted: dict[str, Any]) -> None:
    document = kept_document(posted)
    kept = json.loads(json.dumps(document))
    record = Dataset.model_validate(json.loads(json.dumps(_taken(document).document())))
    given_back = worded(_standing(record, kept))
    for name, value in posted.items():
        if name == "relationships":
            for back, each in zip(given_back[name], value, strict=True):
                assert {**back, **each} == back | each
                assert back["identifier"] == (each["pid"] or None)
        else:
            assert given_back[name] == value, name


@settings(max_examples=30)
@given(POSTS)
def test_a_post_that_can_be_kept_has_no_faults_but_its_folder(posted: dict[str, Any]) -> None:
    sound = {**posted, "sourceFolder": "/x", "contactEmail": "a@b.se", "ownerEmail": "a@b.se"}
    assert [fault for fault in faults(sound) if "nested" not in fault] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("contactEmail", "nobody"),
        ("contactEmail", None),
        ("creationTime", "yesterday"),
        ("sourceFolder", "data"),
        ("type", 3),
        ("proposalIds", "p1"),
        ("proposalIds", [1]),
        ("techniques", ["SAXS"]),
        ("scientificMetadata", []),
        ("isPublished", "yes"),
        ("dataQualityMetrics", 1.5),
        ("colour", "red"),
        ("datasetName", ""),
    ],
)
def test_a_wrong_field_is_named(name: str, value: object) -> None:
    found = faults({**POSTED, name: value})
    assert len(found) == 1
    assert name in found[0]


def test_a_record_of_a_post_says_what_hsc_searches_by() -> None:
    record = _taken(
        {
            **POSTED,
            "proposalIds": ["p1", "p2"],
            "instrumentIds": ["uu/HEX"],
            "principalInvestigators": ["Ridcully"],
            "orcidOfOwner": "00-11-22-33",
            "techniques": [{"pid": "http://purl.org/pan-science/PaNET/PaNET01188", "name": "SAXS"}],
            "scientificMetadata": {"energy": {"value": 12, "unit": "keV"}, "n": "3"},
            "isPublished": True,
        }
    )
    assert (record.proposal, record.instrument, record.technique) == ("p1", "HEX", "SAXS")
    assert record.quantities == {"energy": Quantity(value=12.0, unit="keV")}
    assert [(each.name, each.role) for each in record.people] == [
        ("Ridcully", "principal investigator"),
        ("Ponder Stibbons", "owner"),
        ("ponder@uu.am", "contact"),
    ]
    assert record.visibility == "public"


def test_old_names_are_taken_for_the_new_ones() -> None:
    kept = kept_document({**POSTED, "proposalId": "p1", "size": 3, "pid": "x/y"})
    assert kept == {**POSTED, "proposalIds": ["p1"]}


def test_what_was_amended_since_replaces_what_was_posted_and_nothing_else() -> None:
    posted = {**POSTED, "proposalIds": ["p1", "p2"], "comment": "as it was", "keywords": ["a"]}
    record = _taken(posted)
    mended = Amendment(title="More magic", proposal="p9", reason="wrong").applied(record)
    back = worded(_standing(mended, posted))
    assert back["datasetName"] == "More magic"
    assert back["proposalIds"] == ["p9", "p2"]
    assert {name: back[name] for name in ("comment", "keywords", "owner")} == {
        "comment": "as it was",
        "keywords": ["a"],
        "owner": "Ponder Stibbons",
    }


def test_groups_that_were_changed_since_replace_those_that_were_posted() -> None:
    posted = {**POSTED, "accessGroups": ["faculty"]}
    access = Access(visibility="group", groups=("uu", "guests"))
    back = worded(_standing(_taken(posted), posted, access=access))
    assert (back["ownerGroup"], back["accessGroups"]) == ("uu", ["guests"])


def test_a_dataset_of_hsc_reads_as_one_of_scicat() -> None:
    record = Dataset(
        pid=Pid.parse("hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        kind="derived",  # type: ignore[arg-type]
        title="Lysozyme, averaged",
        facility="maxiv",
        instrument="CoSAXS",
        proposal="20260123",
        technique="SAXS",
        created=AT,
        root="blake3:0",
        layout="plain",
        location="file:///data/st%C3%B6re/x/v1",
        bytes_in=1,
        bytes_out=7,
        people=(Person(name="Anna", email="anna@lu.se"),),
        quantities={"photon_energy": Quantity(value=12.4, unit="keV")},
    )
    origin = Pid.parse("hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAW@1")
    back = worded(_standing(record, None, inputs=(origin,)))
    assert faults(back) == []
    assert back["scientificMetadata"] == {"photon_energy": {"value": 12.4, "unit": "keV"}}
    assert back["inputDatasets"] == ["hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAW"]
    assert (back["ownerGroup"], back["sourceFolder"]) == ("maxiv/20260123", "/data/störe/x/v1")
    assert (back["type"], back["size"], back["isPublished"]) == ("derived", 7, False)


@pytest.mark.parametrize(
    ("access", "published"),
    [
        (Access(visibility="public"), True),
        (Access(visibility="public", embargo_until=AT + timedelta(days=3650)), False),
        (Access(visibility="public", access_class="human"), False),
        (Access(visibility="group"), False),
    ],
)
def test_published_is_what_everybody_may_see_now(access: Access, published: bool) -> None:
    assert worded(_standing(_taken(POSTED), POSTED, access=access))["isPublished"] is published
