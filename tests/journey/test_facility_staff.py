"""A beamline's staff take a DECTRIS run in: once, whole, found again, readable without hsc."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  (registers the filters)
import pytest
from blake3 import blake3

FRAMES = 7


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path]) -> Path:
    """Give a run of three data files."""
    return make_run(frames=FRAMES, proposal="20260042", instrument="BioMAX", sample="lysozyme")


def test_a_run_goes_in_once_and_outlives_its_catalog(hsc, run: Path, tmp_path: Path) -> None:
    first = hsc.json("ingest", run, "--facility", "maxiv")["datasets"][0]
    assert first["pid"].startswith("hsc.maxiv/")
    assert first["existing"] is False
    before = _contents(hsc)

    again = hsc.json("ingest", run, "--facility", "maxiv", "--verify", "full")["datasets"][0]
    assert (again["pid"], again["root"], again["existing"]) == (first["pid"], first["root"], True)

    copied = shutil.copytree(run.parent, tmp_path / "copied") / run.name
    elsewhere = hsc.json("ingest", copied)["datasets"][0]
    assert (elsewhere["pid"], elsewhere["existing"]) == (first["pid"], True)

    for file in hsc.home.glob("catalog.sqlite*"):
        file.unlink()
    assert hsc.json("search")["total"] == 0
    back = hsc.json("ingest", run, "--facility", "maxiv")["datasets"][0]
    assert (back["pid"], back["root"], back["existing"]) == (first["pid"], first["root"], True)
    assert hsc.json("show", first["pid"])["root"] == first["root"]
    assert _contents(hsc) == before


def _contents(place) -> dict[str, str]:
    store = place.home / "store"
    return {key: blake3((store / key).read_bytes()).hexdigest() for key in place.objects()}


def test_another_store_another_pid_the_same_root(hsc, run: Path, tmp_path: Path) -> None:
    one = hsc.json("ingest", run)["datasets"][0]
    other = hsc.json("ingest", run, env={"HSC_HOME": str(tmp_path / "other")})["datasets"][0]
    assert one["pid"] != other["pid"]
    assert one["root"] == other["root"]


def test_stock_zarr_reads_every_pixel_without_hsc(hsc, run: Path, without_hsc, stock_tree) -> None:
    made = hsc.json("ingest", run)["datasets"][0]
    frames = next(each for each in made["arrays"] if each["path"] == "/entry/data/data")
    assert (frames["way"], frames["shape"], frames["chunks"]) == (
        "rewrap", [FRAMES, 64, 60], [1, 64, 60],
    )  # fmt: skip
    location = hsc.json("show", made["pid"])["location"]
    told = without_hsc(
        f"""
import hashlib, pathlib, h5py, hdf5plugin, numpy, zarr
{stock_tree(location)}
mine = tree["entry/data/data"]
files = sorted(pathlib.Path({str(run.parent)!r}).glob("*_data_*.h5"))
theirs = numpy.concatenate([h5py.File(file)["entry/data/data"][()] for file in files])
mask = h5py.File({str(run)!r})["entry/instrument/detector/detectorSpecific/pixel_mask"][()]
json.dump({{
    "frames": bool((mine[()] == theirs).all()) and mine.dtype == theirs.dtype,
    "shape": mine.shape,
    "mask": bool((tree["entry/instrument/detector/detectorSpecific/pixel_mask"][()] == mask).all()),
    "sample": str(tree["entry/sample/name"][()]),
    "unit": tree["entry/instrument/detector/detector_distance"].attrs["units"],
    "hsc": [name for name in sys.modules if name.startswith("hsc")],
}}, sys.stdout)
"""
    )
    assert told == {
        "frames": True,
        "shape": [FRAMES, 64, 60],
        "mask": True,
        "sample": "lysozyme",
        "unit": "m",
        "hsc": [],
    }


def test_what_the_files_say_is_found_and_what_they_lack_can_be_given(hsc, make_run) -> None:
    silent = make_run(frames=2, seed=3)
    words = ("--facility", "xfel", "--proposal", "700000", "--sample", "thaumatin")
    pid = hsc.json("ingest", silent, *words)["datasets"][0]["pid"]
    record = hsc.json("show", pid)["record"]
    assert (record["facility"], record["proposal"], record["sample"]) == (
        "xfel", "700000", "thaumatin",
    )  # fmt: skip
    energy = record["quantities"]["photon_energy"]
    with h5py.File(silent) as master:
        wavelength = master["entry/instrument/beam/incident_wavelength"][()]
    assert energy["unit"] in ("eV", "keV")
    factor = 1000 if energy["unit"] == "keV" else 1
    assert energy["value"] * factor == pytest.approx(12398.41984 / wavelength, rel=1e-4)
    assert hsc.json("search", "thaumatin")["total"] == 1
    assert hsc.json("search", "--proposal", "700000", "--facility", "desy")["total"] == 0
