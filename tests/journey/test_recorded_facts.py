"""What files say of a measurement stands in the record, the nouns and what is reduced from it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import h5py
import numpy as np
import pytest

from hsc.client import connect
from hsc.errors import RecordNotFoundError
from hsc.model import Pid, Proposal, Sample


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as made:
        entry = made.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["definition"], entry["title"] = "NXmx", "Lysozyme"
        entry["start_time"], entry["end_time"] = "2026-05-04T10:00:00", "2026-05-04T10:05:00"
        entry["experiment_identifier"] = "20260123"
        for name, kind in (("user", "NXuser"), ("sample", "NXsample"), ("beam", "NXinstrument")):
            entry.create_group(name).attrs["NX_class"] = kind
        entry["user/name"], entry["user/email"] = "Anna Andersson", "anna@example.org"
        entry["sample/name"], entry["sample/chemical_formula"] = "HEWL", "C125 H196"
        entry["sample/temperature"] = 293.0
        entry["sample/temperature"].attrs["units"] = "K"
        entry["beam/name"] = "MAX IV BioMAX"
        entry["data"] = np.arange(12)
    return path


def test_an_ingest_fills_the_record_and_keeps_its_nouns(hsc, file: Path) -> None:
    pid = hsc.json("ingest", file, "--facility", "maxiv")["datasets"][0]["pid"]
    record = hsc.json("show", pid)["record"]
    assert (record["technique"], record["level"]) == ("MX", 0)
    assert record["techniques"][0]["iri"].endswith("PaNET01164")
    assert (record["started"], record["ended"]) == ("2026-05-04T08:00:00Z", "2026-05-04T08:05:00Z")
    assert [person["name"] for person in record["people"]] == ["Anna Andersson"]
    assert record["quantities"]["temperature"] == {"value": 293.0, "unit": "K"}
    # What a store keeps for ever names nobody; the catalog alone does, and can forget.
    folder = Path(url2pathname(urlsplit(record["location"]).path))
    crate = (folder / "ro-crate-metadata.json").read_text()
    assert "HEWL" in crate
    assert "Anna" not in crate
    with connect(f"sqlite:///{hsc.home / 'catalog.sqlite'}") as catalog:
        assert catalog.find("facility", "maxiv").key == "maxiv"
        beamline = catalog.find("instrument", "maxiv/BioMAX")
        assert "MX" in str(beamline)
        proposal = catalog.find("proposal", "maxiv/20260123")
        assert isinstance(proposal, Proposal)
        sample = catalog.find("sample", "maxiv/20260123/HEWL")
        assert isinstance(sample, Sample)
        assert (sample.formula, sample.quantities["temperature"].value) == ("C125 H196", 293)
        # What somebody wrote there since is not overwritten by the next run.
        catalog.keep(proposal.model_copy(update={"title": "Eggs"}))
    with h5py.File(file, "a") as more:
        more["entry/more"] = 1
    again = hsc.json("ingest", file, "--facility", "maxiv")["datasets"][0]["pid"]
    with connect(f"sqlite:///{hsc.home / 'catalog.sqlite'}") as catalog:
        kept = catalog.find("proposal", "maxiv/20260123")
        assert isinstance(kept, Proposal)
        assert kept.title == "Eggs"
        assert catalog.get(Pid.parse(again)).proposal == "20260123"


def test_what_is_asked_for_goes_before_what_the_file_says(hsc, file: Path) -> None:
    asked = ("--facility", "maxiv", "--proposal", "1", "--sample", "water")
    pid = hsc.json("ingest", file, *asked)["datasets"][0]["pid"]
    record = hsc.json("show", pid)["record"]
    assert (record["proposal"], record["sample"]) == ("1", "water")
    with connect(f"sqlite:///{hsc.home / 'catalog.sqlite'}") as catalog:
        water = catalog.find("sample", "maxiv/1/water")
        assert isinstance(water, Sample)
        assert water.formula is None
        with pytest.raises(RecordNotFoundError):
            catalog.find("sample", "maxiv/20260123/HEWL")


def test_a_reduction_has_from_its_input_what_still_holds(shared, pair) -> None:
    raw = shared.json("ingest", pair.sample, "--facility", "desy")["datasets"][0]["pid"]
    made = shared.json("reduce", "azimuthal", raw, "-p", "bins=40")["pid"]
    before, after = (shared.json("show", pid)["record"] for pid in (raw, made))
    for name in ("sample", "proposal", "instrument", "started"):
        assert after.get(name) == before.get(name)
    assert after["technique"] in ("SAXS", "BioSAXS")
    assert after["techniques"]
    assert after["quantities"]["photon_energy"]
    assert "count_time" in before["quantities"]
    assert "count_time" not in after["quantities"]
