"""Curves with known answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hsc.reductions import Curve
from hsc.testing import SecModel, sphere_form_factor


def sphere_curve(radius_nm=3.2, i0=15.0, points=400, q_max=2.0, seed=0, noise=0.003):
    """Draw the curve of a sphere with the noise that its errors say."""
    q = np.linspace(0.05, q_max, points)
    law = i0 * sphere_form_factor(q, radius_nm)
    error = noise * (i0 / 4 + law)
    drawn = np.random.default_rng(seed).normal(law, error) if noise else law
    return Curve(q, drawn, error if noise else 0.01 * law.max() + 0 * law)


@pytest.fixture
def sphere() -> Callable[..., Curve]:
    return sphere_curve


@pytest.fixture
def text_curve(reffiles: Path) -> Callable[..., Curve]:
    """Read a curve of the reference files, q in 1/angstrom there."""

    def read(name, error=None):
        rows = []
        for line in (reffiles / "sasdata" / name).read_text().splitlines():
            fields = line.split()
            try:
                rows.append([float(field) for field in fields])
            except ValueError:
                continue
        # The ISIS files begin with a line of three counts, too.
        points = [row for row in rows if 0 < row[0] < 100]
        columns = np.array(points)
        if error is not None:
            columns = np.column_stack([columns, error * columns[:, 1]])
        columns = columns[columns[:, 2] > 0]
        return Curve(10 * columns[:, 0], columns[:, 1], columns[:, 2])

    return read


@pytest.fixture(scope="session")
def sec_model() -> SecModel:
    return SecModel()


@pytest.fixture(scope="session")
def sec_frames(sec_model: SecModel) -> np.ndarray:
    return sec_model.stack()


@pytest.fixture
def opened_model(in_memory, scalar_array, picture):
    """Give an elution as an opened dataset; its frames may be drawn already."""

    def opened(model, frames=None):
        setup = model.setup
        return in_memory(
            model.stack() if frames is None else frames,
            distance=scalar_array("distance", setup.distance_m, "m"),
            beam_center_x=scalar_array("beam_center_x", setup.beam_center_px[0], "pixel"),
            beam_center_y=scalar_array("beam_center_y", setup.beam_center_px[1], "pixel"),
            pixel_mask=picture(model.pixel_mask),
        )

    return opened


@pytest.fixture
def elution(sec_model, sec_frames, opened_model):
    """Give an elution of two species as an opened dataset, or some of its frames."""
    return lambda frames=slice(None): opened_model(sec_model, sec_frames[frames])
