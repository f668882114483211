"""What goes to DataCite is valid by the schema of the package ``datacite``, whatever is lacking."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from unit.provenance.histories import BUFFER, RAW, dataset

from hsc.exporting import Citation, datacite_of_dataset, datacite_of_publication
from hsc.model import (
    Access,
    Facility,
    Funding,
    Instrument,
    Member,
    Person,
    Proposal,
    Publication,
    Technique,
)

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
# DataCite's own ROR identifier: it is certain.
PUBLISHER = Facility(
    id="maxiv",
    name="A laboratory",
    pid_prefix="hsc.maxiv",
    time_zone="Europe/Stockholm",
    ror="https://ror.org/04wxnsj81",
)
PEOPLE = (
    Person(name="Carberry, Josiah", orcid="0000-0002-1825-0097", affiliation="Brown"),
    Person(name="Contact, Local", role="local contact", email="somebody@example.org"),
)


@pytest.fixture(scope="module")
def schema() -> Draft201909Validator:
    spec = find_spec("datacite")
    assert spec is not None
    assert spec.origin is not None
    text = (Path(spec.origin).parent / "schemas" / "datacite-v4.5.json").read_text("utf-8")
    return Draft201909Validator(json.loads(text))


def whole() -> Citation:
    return Citation(
        dataset=dataset(
            RAW,
            "lysozyme",
            people=PEOPLE,
            license="CC-BY-4.0",
            description="SAXS of lysozyme.",
            started=MOMENT,
            ended=MOMENT + timedelta(days=1),
            techniques=(
                Technique(name="SAXS", iri="http://purl.org/pan-science/PaNET/PaNET01188"),
            ),
            technique="SAXS",
            keywords=("protein", "SAXS"),
        ),
        facility=PUBLISHER,
        instrument=Instrument(facility="maxiv", name="CoSAXS", pid="10.5442/abc"),
        proposal=Proposal(
            facility="maxiv",
            number="1",
            funding=(Funding(funder="VR", award="2018-1", ror="https://ror.org/03zttf063"),),
        ),
        access=Access(visibility="public", embargo_until=MOMENT + timedelta(days=1000)),
        page="https://example.org/d/1",
        related={str(BUFFER.at(1)): "IsSourceOf"},
    )


def test_a_dataset_with_everything_is_valid_and_loses_nothing(schema):
    told = datacite_of_dataset(whole())
    schema.validate(told)
    assert told["creators"][0]["nameIdentifiers"][0]["nameIdentifier"].endswith("0097")
    assert {each["contributorType"] for each in told["contributors"]} == {
        "ContactPerson",
        "HostingInstitution",
    }
    assert {each["dateType"]: each["date"] for each in told["dates"]} == {
        "Created": "2026-11-22",
        "Collected": "2026-03-01/2026-03-02",
        "Available": "2028-11-25",
    }
    assert told["publicationYear"] == "2028"
    assert [each["subject"] for each in told["subjects"]] == ["SAXS", "protein"]
    assert {each["relationType"] for each in told["relatedIdentifiers"]} == {
        "IsSourceOf",
        "IsCollectedBy",
    }
    assert told["rightsList"][0]["rightsIdentifier"] == "CC-BY-4.0"
    assert told["fundingReferences"][0]["awardNumber"] == "2018-1"


def test_mail_addresses_stay_in_the_catalog():
    assert "@example.org" not in json.dumps(datacite_of_dataset(whole()))


@given(
    people=st.lists(st.sampled_from(PEOPLE), max_size=2).map(tuple),
    title=st.text(max_size=20),
    license=st.none() | st.text(min_size=1, max_size=8),
    keywords=st.lists(st.text(min_size=1, max_size=5), max_size=3).map(tuple),
    known=st.booleans(),
    size=st.integers(0, 10),
)
def test_whatever_a_record_lacks_its_metadata_are_valid(
    schema, people, title, license, keywords, known, size
):
    record = dataset(RAW, title, people=people, license=license, keywords=keywords, bytes_out=size)
    told = datacite_of_dataset(Citation(dataset=record, facility=PUBLISHER if known else None))
    schema.validate(told)


def test_a_publication_names_its_members_by_what_they_are_for(schema):
    publication = Publication(
        id="01M815HK3GE2DTT7XDPBF2RW1Z",
        doi="10.5072/abc.2",
        concept_doi="10.5072/abc",
        title="Lysozyme",
        creators=PEOPLE[:1],
        members=(Member(dataset=RAW), Member(dataset=BUFFER, role="calibration")),
        published=MOMENT,
        license="CC0-1.0",
    )
    told = datacite_of_publication(publication, facility=PUBLISHER)
    schema.validate(told)
    assert told["doi"] == "10.5072/abc.2"
    assert [each["relationType"] for each in told["relatedIdentifiers"]] == [
        "HasPart",
        "Requires",
        "IsVersionOf",
    ]
    draft = Publication(id="01M815HK3GE2DTT7XDPBF2RW1Z", title="Not yet")
    schema.validate(datacite_of_publication(draft, facility=None))
