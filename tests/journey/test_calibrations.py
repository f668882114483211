"""Calibration files become datasets with a PID, which reductions find by their roles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hsc
from hsc import jobs
from hsc.errors import HscError
from hsc.model import Kind

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


def ingest(path: Path, **options: object) -> jobs.IngestedDataset:
    report = jobs.ingest(jobs.IngestRequest(paths=(str(path),), **options))
    assert report.errors == ()
    return report.datasets[0]


def test_a_geometry_is_a_calibration_with_its_file_and_numbers(poni: Path) -> None:
    made = ingest(poni, facility="maxiv", verify="full")
    assert str(made.pid).startswith("hsc.maxiv/")
    opened = hsc.open(made.pid).hsc
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
    kept = hsc.open(flat.pid).hsc.role("flatfield").compute()
    assert kept.dtype == "f4"
    assert kept.tobytes() == np.load(path).astype("<f4").tobytes()


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
    assert (hsc.open(made.pid).hsc.role("pixel_mask").compute() == np.eye(4, dtype=bool)).all()
