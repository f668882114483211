"""Detectors at various places, frames that are hard to sum, and pyFAI as the judge."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from hsc.reductions.azimuthal.reduction import AZIMUTHAL
from hsc.workers import ThreadWorkers

SHAPE = (40, 32)
PIXELS = {"y_pixel_size_m": 2e-4, "x_pixel_size_m": 1.5e-4}


@dataclass(frozen=True)
class Place:
    """Where a detector is."""

    distance_m: float
    poni1_m: float
    poni2_m: float
    rot1_rad: float = 0.0
    rot2_rad: float = 0.0
    rot3_rad: float = 0.0
    orientation: int = 3

    def parameters(self):
        return asdict(self) | PIXELS

    def integrator(self):
        detector = Detector(
            pixel1=2e-4, pixel2=1.5e-4, max_shape=SHAPE, orientation=self.orientation
        )
        return AzimuthalIntegrator(
            dist=self.distance_m,
            poni1=self.poni1_m,
            poni2=self.poni2_m,
            rot1=self.rot1_rad,
            rot2=self.rot2_rad,
            rot3=self.rot3_rad,
            detector=detector,
            wavelength=1e-10,
        )


FAR = Place(0.5, 0.004, 0.0025)
NEAR = Place(0.01, 0.003, 0.001, orientation=2)
TURNED = Place(0.02, 0.001, 0.005, 0.4, -0.3, 1.1, orientation=1)
BEHIND = Place(0.03, -0.02, 0.03, -0.2, 0.1, 0.0, orientation=4)
PLACES = [FAR, NEAR, TURNED, BEHIND]
# pyFAI builds a table for each frame that it judges: of five the first of a walk of four, and the
# one left over. That a frame's bytes hang on no other frame stands in tests of their own.
JUDGED = (0, 4)


def draw_frames(dtype, count=5, seed=0, marks=0.01):
    rng = np.random.default_rng(seed)
    frames = rng.poisson(3, (count, *SHAPE)).astype(dtype)
    frames[rng.random(frames.shape) < 0.2] = 0
    high = rng.random(frames.shape) < 0.05
    frames[high] = rng.integers(0, min(np.iinfo(dtype).max, 2**24) // 2, high.sum())
    if np.dtype(dtype).kind == "u":
        frames[rng.random(frames.shape) < marks] = np.iinfo(dtype).max
    else:
        frames[rng.random(frames.shape) < marks] = -1
    return frames


def draw_mask(seed=1):
    return np.random.default_rng(seed).random(SHAPE) < 0.05


def bad_pixels(frame):
    return frame == np.iinfo(frame.dtype).max if frame.dtype.kind == "u" else frame < 0


def run(dataset, parameters, **others):
    outputs = AZIMUTHAL.run({"sample": dataset, **others}, parameters, ThreadWorkers(1))
    found = {}
    for one in outputs.tree.arrays:
        name = one.path.removeprefix("/entry/azint2d/").removeprefix("/entry/")
        found[name] = one.values
    return found


def same(got, index, theirs, errors=True):
    """Compare what pyFAI gives with what we store, bit for bit."""

    def sums(name):
        return got[f"reduction/sums/{name}"][index]

    assert np.array_equal(sums("signal"), theirs.sum_signal)
    assert np.array_equal(sums("normalization"), theirs.sum_normalization)
    assert np.array_equal(sums("normalization_squared"), theirs.sum_normalization2)
    assert np.array_equal(sums("count"), theirs.count)
    filled = theirs.sum_normalization2 > 0
    assert np.array_equal(got["data/I"][index][filled], theirs.intensity[filled])
    assert np.isnan(got["data/I"][index][~filled]).all()
    if errors:
        assert np.array_equal(sums("variance"), theirs.sum_variance)
        assert np.array_equal(got["data/I_errors"][index][filled], theirs.sem[filled])
    assert np.array_equal(got["data/radial_axis"], theirs.radial)


def end_of(place, part, unit="q_nm^-1"):
    """Give the radius up to which a part of the detector's range lies."""
    radius = place.integrator().center_array(SHAPE, unit=unit)
    return float(radius.min() + part * (radius.max() - radius.min()))


def by_pyfai(place, frame, bad, splitting, cut_at_zero=False, **others):
    """Integrate by pyFAI's sparse engine; what is bad in this frame only is no number."""
    integrator = place.integrator()
    if cut_at_zero:
        integrator.setChiDiscAtZero()
    asked = {
        "unit": "q_nm^-1",
        "error_model": "poisson",
        "dummy": np.nan,
        "method": (splitting, "csr", "cython"),
        **others,
    }
    return integrator.integrate1d_ng(frame, 30, mask=bad.astype(np.int8), **asked)


@pytest.fixture(scope="session")
def judge() -> SimpleNamespace:
    """Give places of a detector, frames, our run, pyFAI's, and their comparison."""
    return SimpleNamespace(
        shape=SHAPE,
        place=Place,
        places={"far": FAR, "near": NEAR, "turned": TURNED, "behind": BEHIND},
        draw_frames=draw_frames,
        draw_mask=draw_mask,
        bad_pixels=bad_pixels,
        judged=lambda frames: [(index, frames[index]) for index in JUDGED if index < len(frames)],
        run=run,
        same=same,
        by_pyfai=by_pyfai,
        end_of=end_of,
    )
