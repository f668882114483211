"""A real SANS picture summed over rings, sectors and slabs, against sasdata's own answers.

The file is a reduced picture with its Qx and Qy, and the answers are those that sasdata's tests
hold its ``manipulations`` against. They take pixels whole, by their middles, and give each the
weight 1: the same as ours without a correction for solid angle. Q is the mean of pixels there
and the middle of the bin here, so that only intensities and errors are compared.
"""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from hsc.reductions.azimuthal.reduction import AZIMUTHAL
from hsc.workers import ThreadWorkers

# sasdata's answers have twelve digits; we read pixels and their variances as float32, and give I
# and its error as float32. Intensities of both signs partly cancel, hence the absolute part.
SAME = {"rtol": 3e-7, "atol": 3e-8}
FILE = "MAR07232_rest.h5"
# The file says where pixels are in Q (1/angstrom, six digits), not where the detector was: distance
# and wavelength of this step from pixel to pixel stand for any others, as angles are small.
STEP, COLUMN, ROW = 2.72889e-4, 68.26, 61.97
PIXEL_M, DISTANCE_M = 5e-3, 200.0
GEOMETRY = {
    "distance_m": DISTANCE_M,
    "wavelength_m": 2 * np.pi * PIXEL_M / DISTANCE_M / STEP * 1e-10,
    "x_pixel_size_m": PIXEL_M,
    "y_pixel_size_m": PIXEL_M,
    "beam_center_x_pixels": COLUMN,
    "beam_center_y_pixels": ROW,
}
PLAIN = {**GEOMETRY, "solid_angle": False, "error_model": "variance"}


@pytest.fixture(scope="module")
def folder(reffiles):
    return reffiles / "sasdata" / "sasmanipulations"


@pytest.fixture(scope="module")
def plane(folder):
    """Give I, its error, Qx and Qy (1/angstrom) as the file has them."""
    with h5py.File(folder / FILE) as file:
        at = file["sasentry01/sasdata01"]
        return tuple(at[name][()] for name in ("I", "Idev", "Qx", "Qy"))


@pytest.fixture
def summed(plane, in_memory, picture):
    """Give a function that reduces the picture: intensity, error, and sums by name."""

    def run(**parameters):
        intensity, error = plane[0][None], plane[1][None]
        dataset = in_memory(intensity, variance=picture(error**2)).without("sample_name")
        tree = AZIMUTHAL.run({"": dataset}, {**PLAIN, **parameters}, ThreadWorkers(1)).tree
        return {
            one.path.rsplit("/", 1)[1]: one.values
            for one in tree.arrays
            if "/data/" in one.path or "/sums/" in one.path
        }

    return run


def answers(folder, name):
    lines = [line.split() for line in (folder / name).read_text().splitlines()]
    rows = [line for line in lines if len(line) == 3 and not line[0].startswith("<")]
    return np.array(rows, dtype=np.float64).T


def test_pixels_are_where_the_file_says(plane, in_memory):
    from hsc.reductions.azimuthal.slab import components
    from hsc.reductions.poni import GeometryParameters, geometry_of

    dataset = in_memory(plane[0][None])
    geometry = geometry_of(dataset, plane[0].shape, GeometryParameters(**GEOMETRY))
    for ours, theirs in zip(components(geometry), plane[2:], strict=True):
        assert np.abs(ours / 10 - theirs.ravel()).max() < 3e-7


def test_the_average_all_around_is_sasdatas(folder, summed):
    # CircularAverage(0, 0.025, 0.0003); the answers are its first bins.
    got = summed(radial_unit="q_A^-1", bins=84, radial_max=84 * 0.0003)
    _, intensity, error = answers(folder, "avg_testdata.txt")
    assert len(intensity) == 20
    assert np.allclose(got["I"][0, :20], intensity, **SAME)
    assert np.allclose(got["I_errors"][0, :20], error, **SAME)


@pytest.mark.parametrize(
    ("name", "chi"),
    [
        # Ring(0.005, 0.01, nbins=20): its first bin is centred on the negative x axis.
        ("ring_testdata.txt", (-189.0, 171.0)),
        # SectorPhi(0.005, 0.01, 0, pi / 2), counted from the negative x axis.
        ("sectorphi_testdata.txt", (-180.0, -90.0)),
    ],
)
def test_a_ring_and_a_sector_along_the_azimuth_are_sasdatas(folder, summed, name, chi):
    got = summed(
        radial_unit="q_A^-1",
        bins=1,
        radial_min=0.005,
        radial_max=0.01,
        azimuthal_bins=20,
        chi_min_deg=chi[0],
        chi_max_deg=chi[1],
    )
    azimuth, intensity, error = answers(folder, name)
    assert np.allclose(got["azimuthal_axis"], np.degrees(azimuth) - 180, atol=1e-4)
    assert np.allclose(got["I"][0, :, 0], intensity, **SAME)
    assert np.allclose(got["I_errors"][0, :, 0], error, **SAME)


def test_both_wings_of_a_sector_add_up_to_sasdatas(folder, summed):
    # SectorQ(0.005, 0.01, 0, pi / 2): the sector and the one across the beam.
    ours = {"radial_unit": "q_A^-1", "bins": 20, "radial_min": 0.005, "radial_max": 0.01}
    one = summed(**ours, chi_min_deg=-180, chi_max_deg=-90)
    other = summed(**ours, chi_min_deg=0, chi_max_deg=90)
    signal, variance, norm = (
        (one[name] + other[name])[0] for name in ("signal", "variance", "normalization")
    )
    mean_q, intensity, error = answers(folder, "sectorq_testdata.txt")
    assert np.allclose(signal / norm, intensity, **SAME)
    assert np.allclose(np.sqrt(variance) / norm, error, **SAME)
    edges = one["radial_axis_edges"]
    assert np.all((edges[:-1] < mean_q) & (mean_q < edges[1:]))


@pytest.mark.parametrize(
    ("name", "slab"),
    [
        # SlabX(-0.01, 0.01, -0.0002, 0.0002, 0.0004)
        ("slabx_testdata.txt", ("qx_A^-1", -0.01, 0.01, 50, -0.0002, 0.0002)),
        # SlabY(0.005, 0.01, -0.01, 0.01, 0.0004)
        ("slaby_testdata.txt", ("qy_A^-1", -0.01, 0.01, 50, 0.005, 0.01)),
    ],
)
def test_slabs_are_sasdatas(folder, summed, name, slab):
    unit, low, high, bins, across_low, across_high = slab
    got = summed(
        radial_unit=unit,
        radial_min=low,
        radial_max=high,
        bins=bins,
        slab_min=across_low,
        slab_max=across_high,
    )
    mean_q, intensity, error = answers(folder, name)
    filled = got["count"][0] > 0
    assert filled.sum() == len(intensity)
    assert np.allclose(got["I"][0][filled], intensity, **SAME)
    assert np.allclose(got["I_errors"][0][filled], error, **SAME)
    edges = got["radial_axis_edges"]
    assert np.all((edges[:-1][filled] <= mean_q) & (mean_q <= edges[1:][filled]))
