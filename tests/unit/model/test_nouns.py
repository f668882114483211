"""The catalog's records: the same after JSON, limited in size, and honest about newer forms."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hsc.errors import FormatVersionError
from hsc.model import (
    NOUNS,
    Access,
    AccessChange,
    Activity,
    Amendment,
    Annotation,
    Dataset,
    Entry,
    ExternalId,
    Facility,
    Instrument,
    Member,
    Origin,
    Period,
    Person,
    Pid,
    Place,
    Proposal,
    Publication,
    Quantity,
    Replica,
    Sample,
    Technique,
    VersionedRecord,
    noun_kind,
    now,
)
from hsc.testing.contracts import NOON, example_activity, example_dataset

ANNA = Person(name="Anna Å", orcid="0000-0002-1825-0097", role="principal investigator")
FACILITY = Facility(
    id="x",
    name="X",
    pid_prefix="hsc.x",
    time_zone="UTC",
    ror="01js2sh04",
    place=Place(town="Lund", country="SE", latitude_deg=55.7, longitude_deg=13.2),
)
RECORDS: list[VersionedRecord] = [
    Access(visibility="group", groups=("b", "a", "b"), owner="anna", embargo_until=NOON),
    AccessChange(add_groups=("g",), reason="asked for"),
    FACILITY,
    Instrument(facility="x", name="I", techniques=(Technique(name="SAXS"),), custom={"a": [1]}),
    Proposal(
        facility="x",
        number="1",
        principal_investigator=ANNA,
        periods=(Period(started=NOON),),
    ),
    Sample(
        facility="x",
        id="s",
        name="s",
        concentration=Quantity(value=5, unit="mg/ml"),
        external=(ExternalId(scheme="PDB", id="1LYZ"),),
    ),
    Publication(id="10.1/x", title="T", members=(Member(dataset=Pid.generate("hsc.x").at(2)),)),
    Amendment(sample="lysozyme", clear=("proposal",), reason="typo"),
    Annotation(kind="verdict", verdict="bad"),
    Entry(record=example_dataset(), revision=1, created=NOON, updated=NOON),
    example_dataset(
        people=(ANNA,),
        techniques=(Technique(name="SAXS"),),
        started=NOON,
        level=0,
        license="CC0-1.0",
    ),
    example_activity(),
    Replica(location="file:///a", since=NOON),
]
# The fields that a dataset's record had in 0.1.0, whose wire form must not change.
RELEASED = {
    "format", "pid", "version", "kind", "title", "facility", "instrument", "proposal", "sample",
    "technique", "created", "collected", "source_id", "root", "layout", "location", "bytes_in",
    "bytes_out", "arrays", "gaps", "quantities", "keywords", "visibility",
}  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_survives_json(record: VersionedRecord) -> None:
    text = json.dumps(record.document(), allow_nan=False)
    again = type(record).model_validate(json.loads(text))
    assert again == record
    assert again.document() == record.document()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_newer_form_is_refused_by_its_name(record: VersionedRecord) -> None:
    document = record.document()
    newer = re.sub(r"/1$", "/2", document["format"])
    with pytest.raises(FormatVersionError, match=newer):
        type(record).model_validate({**document, "format": newer, "what": "we do not know"})
    with pytest.raises(ValidationError):
        type(record).model_validate({**document, "format": "hsc.other/9"})


def test_what_says_nothing_leaves_the_released_form_as_it_was() -> None:
    assert set(example_dataset().document()) == RELEASED
    assert set(example_dataset(level=0).document()) == RELEASED | {"level"}
    assert "retry_of" not in example_activity().document()
    assert set(Dataset.model_fields) == RELEASED | Dataset.grown
    assert Activity.grown < set(Activity.model_fields)


def test_a_nested_record_leaves_out_as_well() -> None:
    entry = Entry(record=example_dataset(), revision=1, created=NOON, updated=NOON)
    assert set(entry.document()["record"]) == RELEASED


def test_only_what_lies_elsewhere_may_lack_a_place() -> None:
    nowhere = {"root": "", "layout": "", "location": ""}
    with pytest.raises(ValidationError, match="only with an origin"):
        example_dataset(**nowhere)
    origin = Origin(catalog="https://scicat.example.org", pid="PID.prefix.a0b1/1 2")
    assert example_dataset(origin=origin, **nowhere).origin == origin


@pytest.mark.parametrize("kind", sorted(NOUNS))
def test_every_noun_has_a_key_and_a_kind(kind: Any) -> None:
    (record,) = (each for each in RECORDS if type(each) is NOUNS[kind])
    assert noun_kind(record) == kind  # type: ignore[arg-type]
    assert record.key  # type: ignore[attr-defined]
    assert record.document()["format"] == f"hsc.{kind}/1"


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "change",
    [
        {"scientific_metadata": deep(100)},
        {"scientific_metadata": deep(100_000)},
        {"scientific_metadata": {"a": [math.nan]}},
        {"scientific_metadata": {"a": list(range(200_001))}},
        {"scientific_metadata": {1: 2}},
        {"title": "x" * 65_537},
        {"facility": ""},
        {"quantities": {"a": {"value": math.inf, "unit": "m"}}},
        {"quantities": {"a": {"value": 1, "unit": "m" * 1_001}}},
        {"keywords": ["x"] * 10_001},
        {"bytes_in": 2**63},
        {"version": 10**9},
        {"level": 5},
        {"started": NOON, "ended": NOON.replace(year=2025)},
        {"created": "0001-01-01T00:00:00+14:00"},
        {"people": [{"name": "A", "orcid": "0000-0002-1825-0098"}]},
        {"people": [{"name": "A", "email": "nowhere"}]},
        {"techniques": [{"name": "SAXS", "iri": "javascript:alert(1)"}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_too_large_or_impossible_is_refused_where_it_is_wrong(change: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Dataset.model_validate({**example_dataset().document(), **change})
    assert all(error["loc"][:1] in ((next(iter(change)),), ()) for error in caught.value.errors())


def test_deep_parameters_are_refused_and_no_crash() -> None:
    with pytest.raises(ValidationError, match="deeper"):
        example_activity(parameters=deep(100_000))


@given(st.integers(0, 32**6 - 1), st.integers(0, 99))
def test_one_pair_of_digits_fits_a_ror_identifier(number: int, digits: int) -> None:
    letters = "0123456789abcdefghjkmnpqrstvwxyz"
    text = "".join(letters[number // 32**place % 32] for place in range(5, -1, -1))
    right = f"0{text}{98 - (number * 100) % 97:02d}"
    assert FACILITY.model_validate({**FACILITY.document(), "ror": right}).ror == (
        f"https://ror.org/{right}"
    )
    wrong = f"0{text}{digits:02d}"
    if wrong != right:
        with pytest.raises(ValidationError):
            FACILITY.model_validate({**FACILITY.document(), "ror": wrong})


def test_an_amendment_changes_what_it_names_and_nothing_else() -> None:
    dataset = example_dataset()
    amendment = Amendment(
        sample="water",
        clear=("proposal",),
        quantities={"temperature": Quantity(value=293, unit="K")},
        reason="mixed up",
    )
    after = amendment.applied(dataset)
    assert (after.sample, after.proposal) == ("water", None)
    assert set(after.quantities) == {*dataset.quantities, "temperature"}
    same = {
        "sample": dataset.sample,
        "proposal": dataset.proposal,
        "quantities": dataset.quantities,
    }
    assert after.model_copy(update=same) == dataset


@pytest.mark.parametrize(
    "change",
    [{"reason": "why"}, {"sample": "a"}, {"sample": "a", "clear": ["sample"], "reason": "why"},
     {"clear": ["pid"], "reason": "why"}, {"root": "blake3:00", "reason": "why"}],
)  # fmt: skip
def test_an_amendment_that_says_nothing_or_too_much_is_refused(change: Any) -> None:
    with pytest.raises(ValidationError):
        Amendment.model_validate(change)


@pytest.mark.parametrize(
    "said",
    [{"kind": "note"}, {"kind": "verdict"}, {"kind": "link", "text": "see"},
     {"kind": "note", "text": "a", "verdict": "good"}, {"kind": "verdict", "verdict": "fine"}],
)  # fmt: skip
def test_an_annotation_is_whole(said: Any) -> None:
    with pytest.raises(ValidationError):
        Annotation.model_validate({"at": now(), **said})


def test_a_change_of_access_does_not_contradict_itself() -> None:
    with pytest.raises(ValidationError, match="both added and removed"):
        AccessChange(add_groups=("a",), remove_groups=("a",), reason="why")
    with pytest.raises(ValidationError, match="at once"):
        AccessChange(release_embargo=True, embargo_until=NOON, reason="why")
    with pytest.raises(ValidationError):
        AccessChange(visibility="public", reason="")
