"""Geometry from roles and parameters, against the formulas and against pyFAI's own entry points."""

from __future__ import annotations

import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from hsc.errors import ParameterError, RoleMissingError
from hsc.reductions import Geometry
from hsc.reductions.azimuthal.poni import GeometryParameters, geometry_of

GEOMETRY = Geometry(
    shape=(30, 40),
    distance_m=0.2,
    wavelength_m=1e-10,
    poni1_m=7.5 * 172e-6,
    poni2_m=10.5 * 75e-6,
    x_pixel_size_m=75e-6,
    y_pixel_size_m=172e-6,
)


def test_q_and_solid_angle_follow_their_formulas_with_pixel_middles_at_a_half():
    y, x = np.indices(GEOMETRY.shape) + 0.5
    r_m = np.hypot((x - 10.5) * 75e-6, (y - 7.5) * 172e-6)
    two_theta = np.arctan2(r_m, 0.2)
    q = 4 * np.pi / 0.1 * np.sin(two_theta / 2)
    assert np.allclose(GEOMETRY.q_per_nm(), q, rtol=1e-12, atol=1e-12)
    assert GEOMETRY.q_per_nm()[7, 10] == 0
    assert np.allclose(GEOMETRY.solid_angle(), np.cos(two_theta) ** 3, rtol=1e-12)


def test_the_geometry_is_fit2ds():
    integrator = AzimuthalIntegrator(
        detector=Detector(pixel1=172e-6, pixel2=75e-6, max_shape=(30, 40), orientation=3),
        wavelength=1e-10,
    )
    integrator.setFit2D(200.0, 10.5, 7.5)
    theirs = integrator.center_array(shape=(30, 40), unit="q_nm^-1")
    assert np.allclose(GEOMETRY.q_per_nm(), theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("orientation", "beam"), [(1, (22, 29)), (2, (22, 10)), (3, (7, 10)), (4, (7, 29))]
)
def test_orientation_names_the_corner_that_the_beam_centre_is_counted_from(orientation, beam):
    from dataclasses import replace

    q = replace(GEOMETRY, orientation=orientation).q_per_nm()
    assert np.unravel_index(q.argmin(), q.shape) == beam


def test_polarization_is_strongest_across_the_beams_own_direction():
    from dataclasses import replace

    near = replace(GEOMETRY, distance_m=0.003)
    correction = near.polarization(1.0)
    assert correction[7, -1] < correction[-1, 10]


def test_numbers_come_from_the_dataset_with_their_units(in_memory, scalar_array, random_frames):
    dataset = in_memory(
        random_frames(),
        distance=scalar_array("distance", 2500.0, "mm"),
        wavelength=scalar_array("wavelength", 12.398419843320026, "keV"),
        beam_center_x=scalar_array("beam_center_x", 172e-6 * 5, "m"),
    )
    found = geometry_of(dataset, (60, 50), GeometryParameters())
    assert found.distance_m == pytest.approx(2.5, rel=1e-14)
    assert found.wavelength_m == pytest.approx(1e-10, rel=1e-12)
    assert found.wavelength_angstrom == 1.0
    assert found.beam_center_x_pixels == pytest.approx(5, rel=1e-12)


def test_a_wavelength_without_a_unit_is_in_angstrom(in_memory, random_frames):
    found = geometry_of(in_memory(random_frames()), (60, 50), GeometryParameters())
    assert found.wavelength_m == pytest.approx(1e-10, rel=1e-14)


def test_a_parameter_goes_before_the_dataset(in_memory, random_frames):
    given = GeometryParameters(distance_m=3.25)
    assert geometry_of(in_memory(random_frames()), (60, 50), given).distance_m == 3.25


def test_a_missing_distance_is_named_with_its_parameter(in_memory, random_frames):
    dataset = in_memory(random_frames()).without("distance")
    with pytest.raises(RoleMissingError, match=r"distance_m \(in m\) is neither given, with -p"):
        geometry_of(dataset, (60, 50), GeometryParameters())
    assert geometry_of(dataset, (60, 50), GeometryParameters(distance_m=1.0)).distance_m == 1.0


@pytest.mark.parametrize(
    ("value", "units", "message"),
    [
        (0.0, "m", "distance_m is 0.0, which is impossible"),
        (-2.0, "m", "distance_m is -2.0, which is impossible"),
        (float("nan"), "m", "distance is nan, not a number"),
        (2.0, "s", "distance is 2.0 's', a unit that does not fit length"),
        (2.0, "furlong", "distance is 2.0 'furlong', a unit that does not fit length"),
        ("far", "m", "distance is 'far', not a number"),
    ],
)
def test_an_impossible_distance_is_refused_with_its_place(
    in_memory, scalar_array, random_frames, value, units, message
):
    dataset = in_memory(random_frames(), distance=scalar_array("distance", value, units))
    with pytest.raises(ParameterError) as caught:
        geometry_of(dataset, (60, 50), GeometryParameters())
    assert caught.value.message == message
    assert "role distance" in caught.value.where
    assert "distance_m" in caught.value.next_step
