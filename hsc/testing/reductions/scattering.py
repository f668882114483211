"""Examples of reductions of frames that an area detector counted behind a solution."""

from __future__ import annotations

from pathlib import Path

from hsc.jobs import IngestRequest, ReduceRequest, ingest_one
from hsc.model import Pid
from hsc.testing.biosaxs import BioSaxsModel, write_biosaxs_pair
from hsc.testing.detector import Detector
from hsc.testing.sec import SecModel, Species, write_sec_run

_MODEL = BioSaxsModel(
    detector=Detector(shape=(120, 100), module_shape=(56, 100), gap_shape=(8, 10)),
    beam_center_px=(40.3, 35.6),
    beamstop_radius_px=5.0,
    beamstop_arm_px=3.0,
    distance_m=0.5,
    dead_pixels=7,
    hot_pixels=4,
)
_FRAMES = 9


def azimuthal(folder: Path) -> ReduceRequest:
    """Give frames of spheres in solution, to be integrated."""
    sample, _ = _pair(folder)
    return ReduceRequest(name="azimuthal", inputs=(("sample", sample),), parameters={"bins": 60})


def biosaxs(folder: Path) -> ReduceRequest:
    """Give frames of spheres in solution and of their buffer."""
    sample, buffer = _pair(folder)
    return ReduceRequest(
        name="biosaxs",
        inputs=(("sample", sample), ("buffer", buffer)),
        parameters={"bins": 60, "guinier_qrg_max": 1.2, "pr_points": 20, "pr_samples": 10},
    )


def sec_saxs(folder: Path) -> ReduceRequest:
    """Give frames of an elution of one kind of spheres."""
    species = Species(3.0, 60.0, 55.0, 6.0)
    run = write_sec_run(folder, SecModel(frames=80, species=(species,)))
    sample = ingest_one(IngestRequest(paths=(str(run),))).pid
    return ReduceRequest(
        name="sec_saxs",
        inputs=(("sample", sample),),
        parameters={"bins": 60, "pr_points": 20, "pr_samples": 10},
    )


def statistics(folder: Path) -> ReduceRequest:
    """Give the same frames, to be added up, with time bins and a region."""
    sample, _ = _pair(folder)
    return ReduceRequest(
        name="statistics",
        inputs=(("sample", sample),),
        parameters={"bin_frames": 2, "regions": "corner=0:20,0:30"},
    )


def _pair(folder: Path) -> tuple[Pid, Pid]:
    pair = write_biosaxs_pair(folder, _MODEL, frames=_FRAMES, seed=3)
    sample, buffer = (
        ingest_one(IngestRequest(paths=(str(path),))).pid for path in (pair.sample, pair.buffer)
    )
    return sample, buffer
