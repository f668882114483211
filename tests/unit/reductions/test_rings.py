"""Rings of equal q on turned detectors, circles, tiles: pixels that should see about the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from hsc.errors import ParameterError, RoleMissingError
from hsc.reductions import Geometry
from hsc.reductions.hits.reduction import HITS
from hsc.reductions.rings import RingParameters, circles, find_groups, geometry_rings
from hsc.reductions.statistics.reduction import STATISTICS
from hsc.workers import Silent, ThreadWorkers

SHAPE = (60, 50)
UPRIGHT = Geometry(
    shape=SHAPE,
    distance_m=0.2,
    wavelength_m=1e-10,
    poni1_m=31.3 * 172e-6,
    poni2_m=5.25 * 172e-6,
    x_pixel_size_m=172e-6,
    y_pixel_size_m=172e-6,
)
TURNED = replace(UPRIGHT, distance_m=0.02, rot1_rad=0.4, rot2_rad=-0.3, rot3_rad=1.1, orientation=2)


@pytest.fixture
def frames():
    return np.random.default_rng(4).poisson(6, (4, *SHAPE)).astype(np.uint16)


@pytest.fixture
def calibration(in_memory, frames, scalar_array):
    """Give the geometry of the turned detector as a dataset of its own."""
    units = {"distance": "m", "wavelength": "m", "poni1": "m", "poni2": "m", "orientation": None,
             "rot1": "rad", "rot2": "rad", "rot3": "rad", "x_pixel_size": "m",
             "y_pixel_size": "m"}  # fmt: skip
    said = {
        role: scalar_array(role, getattr(TURNED, role if unit is None else f"{role}_{unit}"), unit)
        for role, unit in units.items()
    }
    whole = in_memory(frames)
    return type(whole)(whole.record, said)


def test_rings_of_an_upright_detector_are_circles():
    found = geometry_rings(UPRIGHT, 4)
    expected = circles(SHAPE, x=5.25, y=31.3, width=4)
    r = np.hypot(np.arange(50) + 0.5 - 5.25, (np.arange(60) + 0.5 - 31.3)[:, None])
    inner = (r < 40) & (np.abs(r / 4 - np.rint(r / 4)) > 0.02)  # q bends, and edges are rounded
    assert inner.sum() > 1500
    assert np.array_equal(found.labels[inner], expected.labels[inner])


@pytest.mark.parametrize("width", [0.5, 0.7, 1.4, 2.2, 8.0, 37 / 3])
@pytest.mark.parametrize("at", [(0.5, 0.5), (20.5, 31.5), (-7.9, 17.9), (1e6, -3.3)])
def test_rings_are_numpys_quotients_of_roots_even_at_their_edges(width, at):
    down, across = np.arange(60) + 0.5 - at[1], np.arange(50) + 0.5 - at[0]
    rings = np.sqrt(down[:, None] ** 2 + across**2) // width
    expected = (rings - rings.min()).astype(np.int32)
    assert np.array_equal(circles(SHAPE, *at, width).labels, expected)


def test_rings_of_a_turned_detector_are_steps_of_pyfais_q():
    found = geometry_rings(TURNED, 4)
    detector = Detector(172e-6, 172e-6, max_shape=SHAPE, orientation=2)
    judge = AzimuthalIntegrator(dist=0.02, poni1=TURNED.poni1_m, poni2=TURNED.poni2_m, rot1=0.4,
                                rot2=-0.3, rot3=1.1, detector=detector,
                                wavelength=1e-10)  # fmt: skip
    q = judge.array_from_unit(SHAPE, "center", "q_nm^-1")
    width = 4 * np.pi / 0.1 * np.sin(np.arctan(4 * 172e-6 / 0.02) / 2)
    assert found.document["ring_width_per_nm"] == pytest.approx(width, rel=1e-12)
    labels = np.floor(q / width)
    assert np.array_equal(found.labels, labels - labels.min())
    assert found.count == found.labels.max() + 1
    centre = TURNED.beam_center_x_pixels, TURNED.beam_center_y_pixels
    assert not np.array_equal(found.labels, circles(SHAPE, *centre, 4).labels)


@pytest.mark.parametrize("reduction", [HITS, STATISTICS])
def test_reductions_take_a_calibration_as_azimuthal_does(in_memory, frames, calibration, reduction):
    inputs = {"sample": in_memory(frames), "geometry": calibration}
    outputs = reduction.run(inputs, {"ring_width_pixels": 4}, ThreadWorkers(1), Silent())
    found = {one.path: one.values for one in outputs.tree.arrays}
    labels = found["/entry/data/ring" if reduction is HITS else "/entry/flaws/group"]
    assert np.array_equal(labels, geometry_rings(TURNED, 4).labels)
    assert outputs.results["compared_in"] == "rings"
    assert found["/entry/reduction/input/rot1_rad"] == 0.4
    assert found["/entry/reduction/input/orientation"] == 2


def test_parameters_go_before_a_calibration_and_turn_circles_into_rings(
    in_memory, frames, calibration
):
    upright = find_groups(in_memory(frames), SHAPE, RingParameters(ring_width_pixels=4))
    assert "ring_width_per_nm" not in upright.document
    given = RingParameters(ring_width_pixels=4, rot1_rad=0.1)
    for place in (None, calibration):
        assert find_groups(in_memory(frames), SHAPE, given, place).document["rot1_rad"] == 0.1
    lacking = in_memory(frames).without("wavelength")
    with pytest.raises(RoleMissingError, match="wavelength_m"):
        find_groups(lacking, SHAPE, given)


def test_gaps_of_a_named_detector_are_left_out(in_memory):
    shape = (195, 487)
    frames = np.ones((2, *shape), np.uint16)
    given = {"detector_name": "Pilatus_100K", "ring_width_pixels": 20}
    dataset = in_memory(frames)
    outputs = HITS.run({"sample": dataset}, given, ThreadWorkers(1), Silent())
    assert outputs.results["hits"] == 0
    with pytest.raises(ParameterError, match="whose frames have the shape"):
        find_groups(dataset, SHAPE, RingParameters(detector_name="Pilatus_100K"))


def test_a_beam_far_beside_the_detector_makes_no_more_rings_than_there_are():
    found = circles(SHAPE, x=1e12, y=0.0, width=4)
    assert found.labels.min() == 0
    assert found.count < 20


def test_what_can_not_be_compared_in_rings_is_refused(in_memory, frames, calibration):
    dataset = in_memory(frames)
    modules = (2, *SHAPE)
    assert find_groups(dataset, modules, RingParameters()).kind == "tiles"
    for given, place in ((RingParameters(), calibration), (RingParameters(rot1_rad=0.1), None)):
        with pytest.raises(ParameterError, match="one panel"):
            find_groups(dataset, modules, given, place)
    half = dataset.without("beam_center_x", "beam_center_y")
    with pytest.raises(ParameterError, match="beam_center_y_pixels is neither"):
        find_groups(half, SHAPE, RingParameters(beam_center_x_pixels=3.0))


@pytest.mark.parametrize("reduction", [HITS, STATISTICS])
def test_where_nobody_set_the_beam_centre_tiles_are_compared_and_it_is_told(
    in_memory, frames, scalar_array, reduction
):
    whole = in_memory(frames)
    zeros = {name: scalar_array(name, 0.0) for name in ("beam_center_x", "beam_center_y")}

    def told(dataset, **given):
        return reduction.run({"sample": dataset}, given, ThreadWorkers(1)).results

    unset = told(whole.having(**zeros))
    assert unset["compared_in"] == "tiles"
    (said,) = unset["warnings"]
    assert "beam centre is (0, 0)" in said
    assert "-p beam_center_x_pixels=..." in said
    unknown = told(whole.without("beam_center_x", "beam_center_y"))
    assert {**unknown, "warnings": [said]} == unset
    known = told(whole)
    assert (known["compared_in"], "warnings" in known) == ("rings", False)
    asked = {"beam_center_x_pixels": 0.0, "beam_center_y_pixels": 0.0}
    assert told(whole.having(**zeros), **asked)["compared_in"] == "rings"
    with pytest.raises(ParameterError, match="whose centre is"):
        told(whole.having(**zeros), beam_center_x_pixels=7.0)
