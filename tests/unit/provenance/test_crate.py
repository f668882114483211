"""A version's crate is RO-Crate, names persons by id alone, and gives back what it was made of."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from hsc.errors import ManifestError
from hsc.model import Activity, ActivityState, Agent, Dataset, Edge, Kind, Pid, Quantity
from hsc.provenance import environment, read_crate, write_crate

PID = Pid.parse("hsc.local/01M815HK3GE2DTT7XDPBF2RW1A")
MOMENT = datetime(2026, 11, 22, 8, 0, 0, 123000, UTC)


@pytest.fixture
def dataset() -> Dataset:
    return Dataset(
        pid=PID,
        version=2,
        kind=Kind.RAW,
        title="lysozyme, 10 mg/ml: “größte” \N{GREEK SMALL LETTER ALPHA}",
        facility="maxiv",
        created=MOMENT,
        root="blake3:" + "0" * 64,
        layout="plain",
        location="file:///store/v2",
        bytes_in=3,
        bytes_out=4,
        quantities={"photon_energy": Quantity(value=12.4, unit="keV")},
        keywords=("a.h5",),
    )


@pytest.fixture
def activity() -> Activity:
    return Activity(
        id="01M815HK3GE2DTT7XDPBF2RW1B",
        type="ingest",
        state=ActivityState.DONE,
        started=MOMENT,
        ended=MOMENT,
        parameters={"path": "/data/a b/\u00e9.h5", "verify": "none", "number": 0.1},
        environment=environment(),
        agents=(Agent(kind="software", id="hsc@1"), Agent(kind="person", id="0000-0001/a b")),
        used=("blake3:" + "1" * 64,),
        generated=(PID.at(2),),
    )


@pytest.fixture
def edges() -> list[Edge]:
    return [Edge(subject=str(PID.at(2)), predicate="was_generated_by", object="activity:x")]


def test_record_activity_and_edges_come_back_exactly(dataset, activity, edges):
    told = read_crate(write_crate(dataset, activity, edges), "")
    assert told.dataset.document() == dataset.document()
    assert told.activity.document() == activity.document()
    assert list(told.edges) == edges


def test_it_is_a_flat_ro_crate_in_which_every_reference_leads_somewhere(dataset, activity, edges):
    document = json.loads(write_crate(dataset, activity, edges))
    assert document["@context"] == "https://w3id.org/ro/crate/1.1/context"
    graph = document["@graph"]
    entities = {each["@id"]: each for each in graph}
    assert len(entities) == len(graph), "an id stands twice"
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = entities[descriptor["about"]["@id"]]
    assert root["@type"] == "Dataset"
    assert {"name", "description", "datePublished", "license", "hasPart"} <= root.keys()
    assert datetime.fromisoformat(root["datePublished"]) == MOMENT
    for each in graph:
        assert {"@id", "@type"} <= each.keys()
        for value in (v for k, v in each.items() if k != "conformsTo"):
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict):
                    assert part.keys() == {"@id"}, "an entity inside an entity"
                    assert part["@id"] in entities


def test_persons_stand_in_it_by_id_alone(dataset, activity, edges):
    graph = json.loads(write_crate(dataset, activity, edges))["@graph"]
    (person,) = [each for each in graph if each["@type"] == "Person"]
    assert person == {
        "@id": "#person-0000-0001%2Fa%20b",
        "@type": "Person",
        "identifier": "0000-0001/a b",
    }


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"@graph": []}', b"\xff"])
def test_what_is_no_crate_is_an_error_that_says_where(data: bytes):
    with pytest.raises(ManifestError) as caught:
        read_crate(data, "file:///there")
    assert caught.value.where == "file:///there"
