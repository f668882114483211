"""Facts of a measurement are read from NeXus by class, with units, zones and nothing invented."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hsc.layouts import Facts
from hsc.layouts.facts import read_facts
from hsc.model import Person, Quantity

Tree = dict[str, Any]

SAS: Tree = {
    "entry@NXentry": {
        "definition": "NXsas",
        "title": "Lysozyme series",
        "start_time": "2026-05-04T10:00:00.123456789",
        "end_time": "2026-05-04T08:05:00Z",
        "experiment_identifier": 20260123,
        "entry_identifier": "scan-17",
        "run": np.int32(17),
        "somebody@NXuser": {
            "name": "Anna Å",
            "role": "principal_investigator",
            "ORCID": "https://orcid.org/0000-0002-1825-0097",
            "email": "anna@example.org",
        },
        "another@NXuser": {"name": "Bo", "ORCID": "0000-0002-1825-0098"},
        "hidden@NXuser": {"email": "c@example.org"},
        "cell@NXsample": {
            "name": "HEWL",
            "description": "from hen egg white",
            "chemical_formula": "C125 H196",
            "temperature": (20.0, "°C"),
            "concentration": (5, "mg/ml"),
            "thickness": 1.5,
        },
        "beamline@NXinstrument": {
            "name": "CoSAXS",
            "ring@NXsource": {
                "name": "MAX IV",
                "probe": "x-ray",
                "current": (400.0, "mA"),
                "energy": (3.0, "GeV"),
            },
            "mono@NXmonochromator": {"energy": (12.4, "keV")},
            "filter@NXattenuator": {"attenuator_transmission": 0.1, "type": "Al"},
            "eiger@NXdetector": {
                "distance": (2500, "mm"),
                "count_time": 0.1,
                "beam_center_x": (515.0, "pixel"),
                "description": "EIGER2",
            },
        },
    }
}


def put(group: h5py.Group, tree: Tree) -> None:
    for key, value in tree.items():
        name, _, kind = key.partition("@")
        if isinstance(value, dict):
            child = group.create_group(name)
            if kind:
                child.attrs["NX_class"] = kind
            put(child, value)
        else:
            number, unit = value if isinstance(value, tuple) else (value, "")
            made = group.create_dataset(name, data=number)
            if unit:
                made.attrs["units"] = unit


def facts_of(folder: Path, tree: Tree) -> Facts:
    with h5py.File(folder / "a.h5", "w") as file:
        put(file, tree)
    with h5py.File(folder / "a.h5") as file:
        return read_facts(file, "Europe/Stockholm")


def test_all_that_a_nexus_file_says_is_read_with_its_units(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, SAS)
    assert (facts.title, facts.instrument, facts.proposal) == (
        "Lysozyme series",
        "CoSAXS",
        "20260123",
    )
    assert (facts.sample, facts.formula) == ("HEWL", "C125 H196")
    assert facts.sample_description == "from hen egg white"
    # A time without a zone is the facility's: summer in Lund.
    assert facts.collected == datetime(2026, 5, 4, 8, 0, 0, 123456, UTC)
    assert facts.ended == datetime(2026, 5, 4, 8, 5, tzinfo=UTC)
    assert facts.technique is not None
    assert facts.technique.name == "SAXS"
    assert dict(facts.quantities) == {
        "photon_energy": Quantity(value=12.4, unit="keV"),
        "detector_distance": Quantity(value=2500, unit="mm"),
        "count_time": Quantity(value=0.1, unit="s"),
        "beam_center_x": Quantity(value=515, unit="pixel"),
        "attenuator_transmission": Quantity(value=0.1, unit="1"),
        "ring_current": Quantity(value=400, unit="mA"),
        "ring_energy": Quantity(value=3, unit="GeV"),
        "temperature": Quantity(value=20, unit="°C"),
        "concentration": Quantity(value=5, unit="mg/ml"),
    }
    assert all(each.si() for each in facts.quantities.values())
    assert facts.metadata == {
        "identifiers": {"entry": "scan-17", "run": "17"},
        "detector": {"description": "EIGER2"},
        "source": {"name": "MAX IV", "probe": "x-ray"},
        "attenuator": {"type": "Al"},
    }


def test_people_come_without_addresses_and_without_a_wrong_orcid(tmp_path: Path) -> None:
    people = facts_of(tmp_path, SAS).people
    assert people == (
        Person(name="Anna Å", orcid="0000-0002-1825-0097", role="principal_investigator"),
        Person(name="Bo"),
    ) or people == (
        Person(name="Bo"),
        Person(name="Anna Å", orcid="0000-0002-1825-0097", role="principal_investigator"),
    )
    assert all(person.email is None for person in people)


def changed(**changes: Any) -> Tree:
    entry = {name: value for name, value in SAS["entry@NXentry"].items() if name not in changes}
    return {"entry@NXentry": {**entry, **{k: v for k, v in changes.items() if v is not None}}}


def instrument(**groups: Tree) -> Tree:
    named = {key.replace("_NX", "@NX"): value for key, value in groups.items()}
    return {"entry@NXentry": {"definition": "NXsas", "i@NXinstrument": named}}


@pytest.mark.parametrize(
    ("definition", "name"),
    [("NXmx", "MX"), ("NXcanSAS", "SAXS"), ("NXxas", "XAS"), ("NXtomo", "tomography"),
     ("NXwonder", None), (None, None)],
)  # fmt: skip
def test_the_definition_says_what_was_measured(tmp_path: Path, definition, name) -> None:
    technique = facts_of(tmp_path, changed(definition=definition)).technique
    assert (technique.name if technique else None) == name


def test_neutrons_have_no_photon_energy(tmp_path: Path) -> None:
    tree = instrument(
        s_NXsource={"probe": "neutron"}, m_NXmonochromator={"wavelength": (6.0, "angstrom")}
    )
    facts = facts_of(tmp_path, tree)
    assert facts.technique is not None
    assert facts.technique.name == "SANS"
    assert set(facts.quantities) == {"wavelength"}


def test_detectors_that_contradict_one_another_say_nothing(tmp_path: Path) -> None:
    near, far = {"distance": (1, "m"), "count_time": 1}, {"distance": (5, "m"), "count_time": 1}
    facts = facts_of(tmp_path, instrument(a_NXdetector=near, b_NXdetector=far))
    assert set(facts.quantities) == {"count_time"}


def test_an_end_before_the_start_is_no_end(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, changed(end_time="2020-01-01T00:00:00Z"))
    assert facts.ended is None
    assert facts.collected is not None


def test_numbers_that_nobody_can_read_are_left_out(tmp_path: Path) -> None:
    sample = {"temperature": (np.nan, "K"), "pressure": 5.0, "magnetic_field": "strong"}
    facts = facts_of(tmp_path, {"entry@NXentry": {"s@NXsample": sample}})
    assert dict(facts.quantities) == {}


def test_nothing_is_looked_up_outside_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as other:
        put(other, SAS)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        put(file, {"entry@NXentry": {}})
        file["entry/sample"] = h5py.ExternalLink("secret.h5", "/entry/cell")
        file["entry/instrument"] = h5py.SoftLink("/elsewhere")
    with h5py.File(tmp_path / "a.h5") as file:
        assert read_facts(file, "UTC") == Facts()


def test_long_texts_are_cut_to_what_a_record_takes(tmp_path: Path) -> None:
    long = {"title": "x" * 100_000, "somebody@NXuser": {"name": "y" * 9_999}}
    facts = facts_of(tmp_path, changed(**long))
    assert [len(person.name) for person in facts.people if person.name[0] == "y"] == [500]
    assert len(facts.title) == 10_000


@pytest.mark.parametrize(
    ("name", "technique", "said"),
    [
        ("demo_nxtomo.nx", "tomography", {"photon_energy": "keV", "detector_distance": "m"}),
        ("FK403_0006_Nika.hdf", "SAS", {"wavelength": "angstrom", "beam_center_x": "px"}),
        ("33837rear_2D_1.75_16.5_NXcanSAS_v3.h5", "SANS", {"detector_distance": "m"}),
        ("14250_2D_NoDetInfo_NXcanSAS_v3.h5", "SANS", {}),
    ],
)
def test_real_files_say_what_they_are(
    realfiles: Path, name: str, technique: str, said: dict[str, str]
) -> None:
    (path,) = realfiles.rglob(name)
    with h5py.File(path) as file:
        facts = read_facts(file, "UTC")
    assert facts.technique is not None
    assert facts.technique.name == technique
    for quantity, unit in said.items():
        assert facts.quantities[quantity].unit == unit
    assert technique != "SANS" or "photon_energy" not in facts.quantities
