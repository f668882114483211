"""The data files of facilities, instruments and techniques are whole and agree with one another."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest

from hsc.layouts import (
    facilities,
    find_facility,
    find_technique,
    instruments,
    technique_family,
    techniques,
)
from hsc.layouts.facility_table import _FOLDER
from hsc.model import Facility, Instrument


@pytest.mark.parametrize("name", sorted(facilities()))
def test_a_facility_can_be_told_apart_and_found(name: str) -> None:
    facility = find_facility(name)
    assert (_FOLDER / f"{name}.toml").exists()
    assert facility.id == facility.key == name
    assert facility.pid_prefix == f"hsc.{name}"
    assert ZoneInfo(facility.time_zone)
    # The records check the digits of ROR identifiers: see test_nouns.py.
    assert Facility.model_validate(facility.document()) == facility
    if name != "local":
        assert facility.place is not None
        assert any(key.startswith(f"{name}/") for key in instruments())


def test_prefixes_and_identifiers_belong_to_one_facility_each() -> None:
    prefixes = [each.pid_prefix for each in facilities().values()]
    identifiers = [each.ror for each in facilities().values() if each.ror]
    assert len(set(prefixes)) == len(prefixes)
    assert len(set(identifiers)) == len(identifiers) >= 3


def test_every_instrument_is_found_by_each_of_its_names() -> None:
    for instrument in instruments().values():
        facility = find_facility(instrument.facility)
        for name in (instrument.name, *instrument.aliases):
            assert facility.instrument(name) == instrument.name
            assert facility.instrument(name.upper()) == instrument.name
        assert instrument.techniques
        assert Instrument.model_validate(instrument.document()) == instrument


def test_the_regions_laboratories_are_there() -> None:
    assert {"maxiv", "ess", "desy", "xfel", "isa", "scilifelab", "cssb", "lbic"} <= set(
        facilities()
    )
    assert {"maxiv/CoSAXS", "desy/P12", "xfel/SPB/SFX", "isa/AU-CD"} <= set(instruments())


def test_no_two_techniques_share_a_name_or_a_term() -> None:
    names = [name.casefold() for term in techniques().values() for name in term.names]
    definitions = [name for term in techniques().values() for name in term.definitions]
    terms = [t.technique.iri for t in techniques().values() if t.technique.iri]
    for each in (names, definitions, terms):
        assert len(set(each)) == len(each)
    pattern = re.compile(r"http://purl\.org/pan-science/PaNET/PaNET0\d{4}")
    assert all(pattern.fullmatch(term) for term in terms)
    assert len(terms) > 60


def test_the_tree_of_techniques_has_no_circle_and_no_stranger() -> None:
    for name, term in techniques().items():
        assert set(term.broader) <= set(techniques())
        for broader in term.broader:
            assert name in technique_family(broader)
            assert broader not in technique_family(name)


@pytest.mark.parametrize("asked", ["SAXS", "saxs", "small angle x-ray scattering", "PaNET01188"])
def test_a_technique_is_found_with_its_kinds_by_any_name(asked: str) -> None:
    found = find_technique(asked)
    assert found is not None
    assert found.iri == "http://purl.org/pan-science/PaNET/PaNET01188"
    family = technique_family(asked)
    assert {"SAXS", "GISAXS", "BioSAXS", found.iri} <= family
    assert not {"SANS", "SAS", "WAXS"} & family


def test_broader_techniques_find_more() -> None:
    assert {"SAXS", "SANS", "GISAXS"} <= technique_family("SAS")
    assert {"MX", "SFX", "powder diffraction"} <= technique_family("diffraction")
