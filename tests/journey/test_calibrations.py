"""Calibration files become datasets with a PID, which reductions find by their roles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hsc import jobs
from hsc import open as open_tree
from hsc.errors import HscError
from hsc.model import Kind
from hsc.testing.reductions import EXAMPLES

PONI = """poni_version: 2.1
Detector: Detector
Detector_config: {"pixel1": 1e-4, "pixel2": 2e-4, "max_shape": [30, 40], "orientation": 3}
Distance: 0.2
Poni1: 0.001
Poni2: 0.002
Rot1: 0.01
Rot2: 0
Rot3: 0
Wavelength: 1e-10
"""


@pytest.fixture
def poni(tmp_path: Path) -> Path:
    path = tmp_path / "my.poni"
    path.write_text(PONI)
    return path


def open_dataset(pid: object) -> Any:
    return open_tree(str(pid)).hsc


def ingest(path: Path, **options: object) -> jobs.IngestedDataset:
    report = jobs.ingest(jobs.IngestRequest(paths=(str(path),), **options))
    assert report.errors == ()
    return report.datasets[0]


def test_a_geometry_is_a_calibration_with_its_file_and_numbers(poni: Path) -> None:
    made = ingest(poni, facility="maxiv", verify="full")
    assert str(made.pid).startswith("hsc.maxiv/")
    opened = open_dataset(made.pid)
    assert opened.record.kind is Kind.CALIBRATION
    assert opened.record.level is None
    assert opened.record.quantities["wavelength"].value == 1e-10
    assert opened.files["my.poni"].read() == poni.read_bytes()
    assert float(opened.role("rot1")) == 0.01
    assert opened.zarr()[opened.roles["distance"]].attrs["units"] == "m"
    again = ingest(poni)
    assert (again.pid, again.existing) == (made.pid, True)


def test_inspect_tells_what_would_become_of_it(poni: Path) -> None:
    told = jobs.inspect(str(poni))
    assert (told.layout, told.complete, told.gaps) == ("poni", True, ())
    assert told.bytes_in == poni.stat().st_size
    assert {array.path.rpartition("/")[2] for array in told.arrays} >= {"poni1", "wavelength"}


def test_one_file_taken_for_two_things_is_two_datasets(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.asfortranarray(np.linspace(-1, np.nan, 12).astype(">f4").reshape(3, 4)))
    flat, dark = (ingest(path, layout=each, verify="full") for each in ("flatfield", "dark"))
    assert flat.pid != dark.pid
    kept = open_dataset(flat.pid).role("flatfield").compute()
    assert kept.dtype == "f4"
    assert kept.tobytes() == np.load(path).astype("<f4").tobytes()


def test_a_calibration_is_exported_as_its_own_file_or_as_hdf5(poni: Path, tmp_path: Path) -> None:
    made = ingest(poni)
    done = jobs.export(made.pid, tmp_path / "back.poni")
    assert (done.form, (tmp_path / "back.poni").read_bytes()) == ("original", poni.read_bytes())
    assert jobs.export(made.pid, tmp_path / "back.h5", form="hdf5").form == "hdf5"
    with h5py.File(tmp_path / "back.h5") as file:
        distance = file["entry/instrument/detector/distance"]
        assert (distance[()], distance.attrs["units"]) == (0.2, "m")
        assert "Detector" not in file


def test_a_version_is_compared_with_its_file(poni: Path) -> None:
    made = ingest(poni)
    done = jobs.verify(jobs.VerifyRequest(pid=made.pid, source=str(poni)))
    assert done.compared == len(made.arrays)
    poni.write_text(PONI.replace("0.2", "0.3"))
    with pytest.raises(HscError, match="was not made of this"):
        jobs.verify(jobs.VerifyRequest(pid=made.pid, source=str(poni)))


def test_what_is_not_carried_stops_the_ingest_or_is_a_gap(poni: Path) -> None:
    poni.write_text(PONI.replace("2.1", "3") + "Parallax: True\n")
    (refused,) = jobs.ingest(jobs.IngestRequest(paths=(str(poni),))).errors
    assert refused.error == "UnsupportedObjectError"
    assert "line 11" in refused.message
    (gap,) = ingest(poni, policy="quarantine").gaps
    assert "parallax" in gap.path


def test_a_calibration_is_taken_in_by_a_child_process_too(tmp_path: Path) -> None:
    path = tmp_path / "mask.npy"
    np.save(path, np.eye(4, dtype=bool))
    made = ingest(path, isolate=True, verify="full")
    assert (open_dataset(made.pid).role("pixel_mask").compute() == np.eye(4, dtype=bool)).all()


def test_a_geometry_and_a_mask_are_inputs_of_an_integration_by_their_pids(hsc, monkeypatch):
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    sample = EXAMPLES["azimuthal"](hsc.home).inputs[0][1]
    plain = hsc.json("reduce", "azimuthal", f"sample={sample}", "-p", "bins=40")
    (frames,) = (a for a in hsc.json("show", sample)["arrays"] if len(a["shape"]) == 3)
    rows, columns = frames["shape"][1:]
    (hsc.home / "my.poni").write_text(PONI.replace("[30, 40]", f"[{rows}, {columns}]"))
    mask = np.zeros((rows, columns), np.uint8)
    mask[: rows // 2] = 1
    np.save(hsc.home / "mask.npy", mask)
    done = hsc.json("ingest", hsc.home / "my.poni", hsc.home / "mask.npy")["datasets"]
    geometry, masked = (each["pid"] for each in done)
    assert [each["layout"] for each in done] == ["poni", "mask"]
    given = (f"sample={sample}", f"geometry={geometry}", f"mask={masked}")
    reduced = hsc.json("reduce", "azimuthal", *given, "-p", "bins=40")
    assert reduced["inputs"] == [f"{pid}@1" for pid in (sample, geometry, masked)]
    assert reduced["root"] != plain["root"]
    tree = open_dataset(reduced["pid"])
    assert float(tree["/entry/instrument/detector/distance"]) == 0.2
    assert float(tree["/entry/instrument/detector/rot1"]) == 0.01
    used = {edge["object"] for edge in hsc.json("lineage", reduced["pid"])["edges"]}
    assert {f"{geometry}@1", f"{masked}@1"} <= used
    # Many curves in one tree are no NXcanSAS file, and need no word to be exported.
    assert hsc.json("export", reduced["pid"], hsc.home / "curves.h5")["form"] == "hdf5"
    assert hsc.json("reproduce", reduced["pid"])["verdict"] == "identical"


def test_scans_become_a_spectrum_in_molar_units_with_its_text(hsc, monkeypatch):
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    request = EXAMPLES["srcd"](hsc.home)
    given = [f"{role}={pid}" for role, pid in request.inputs]
    refused = hsc.json("reduce", "srcd", *given, "-p", "unit=delta_epsilon", code=1)
    assert refused["error"] == "ParameterError"
    assert "path_cm (in cm)" in refused["message"]
    words = [
        word for name, value in request.parameters.items() for word in ("-p", f"{name}={value}")
    ]
    done = hsc.json("reduce", "srcd", *given, *words)
    assert (done["results"]["scans"], done["results"]["baseline_scans"]) == (3, 2)
    opened = open_dataset(done["pid"])
    assert opened.record.technique == "SRCD"
    assert opened.files["srcd.txt"].read().startswith(b"SAMPLE")
    # 17200 / 152 / (32982 · 0.8 · 0.01) = 0.4289 for each mdeg; bands of -12 mdeg overlap a little.
    assert -14 * 0.4289 < opened.role("delta_epsilon").compute().min() < -12 * 0.4289
    assert hsc.json("reproduce", done["pid"])["verdict"] == "identical"
