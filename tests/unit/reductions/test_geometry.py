"""Geometry from roles and parameters, against the formulas and against pyFAI's own entry points."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from hsc.errors import ParameterError, RoleMissingError
from hsc.reductions import Geometry
from hsc.reductions.poni import GeometryParameters, geometry_of

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


def poni(in_memory, random_frames, scalar_array, **others):
    """Give a calibration as PONI files are ingested."""
    numbers = {
        "distance": scalar_array("distance", 0.2, "m"),
        "poni1": scalar_array("poni1", 0.05, "m"),
        "poni2": scalar_array("poni2", 0.04, "m"),
        "rot1": scalar_array("rot1", 0.1, "rad"),
        "rot2": scalar_array("rot2", -5.0, "deg"),
        "rot3": scalar_array("rot3", 0.0, "rad"),
        "wavelength": scalar_array("wavelength", 1.2e-10, "m"),
        "x_pixel_size": scalar_array("x_pixel_size", 75e-6, "m"),
        "y_pixel_size": scalar_array("y_pixel_size", 75e-6, "m"),
        "orientation": scalar_array("orientation", 2),
        **others,
    }
    dataset = in_memory(random_frames())
    return dataset.without(*dataset.arrays).having(**numbers)


def test_a_calibration_goes_before_the_dataset_and_a_parameter_before_both(
    in_memory, random_frames, scalar_array
):
    calibration = poni(in_memory, random_frames, scalar_array)
    dataset = in_memory(random_frames())
    found = geometry_of(dataset, (60, 50), GeometryParameters(rot3_rad=0.25), calibration)
    assert found == Geometry(
        shape=(60, 50),
        distance_m=0.2,
        wavelength_m=1.2e-10,
        poni1_m=0.05,
        poni2_m=0.04,
        x_pixel_size_m=75e-6,
        y_pixel_size_m=75e-6,
        rot1_rad=0.1,
        rot2_rad=float(np.deg2rad(-5.0)),
        rot3_rad=0.25,
        orientation=2,
    )
    given = GeometryParameters(beam_center_x_pixels=10.0, orientation=1)
    found = geometry_of(dataset, (60, 50), given, calibration)
    assert (found.poni1_m, found.orientation) == (0.05, 1)
    assert found.poni2_m == pytest.approx(10 * 75e-6 + 0.2 * np.tan(0.1), rel=1e-12)


def test_what_says_nothing_of_a_geometry_is_refused_as_one(in_memory, random_frames, picture):
    dataset = in_memory(random_frames())
    mask = dataset.without(*dataset.arrays).having(pixel_mask=picture(np.zeros((60, 50), bool)))
    with pytest.raises(RoleMissingError, match="its roles are: pixel_mask"):
        geometry_of(dataset, (60, 50), GeometryParameters(), mask)


def test_the_beam_centre_of_a_turned_detector_is_fit2ds():
    from dataclasses import replace

    turned = replace(GEOMETRY, rot1_rad=0.2, rot2_rad=-0.1, rot3_rad=0.3)
    theirs = turned.integrator().getFit2D()
    assert turned.beam_center_x_pixels == pytest.approx(theirs["centerX"], rel=1e-9)
    assert turned.beam_center_y_pixels == pytest.approx(theirs["centerY"], rel=1e-9)


def test_a_beam_centre_given_with_rotations_is_where_the_beam_hits(in_memory, random_frames):
    given = GeometryParameters(
        distance_m=2.0, wavelength_m=1e-10, x_pixel_size_m=75e-6, y_pixel_size_m=172e-6,
        rot1_rad=0.1, rot2_rad=-0.2, rot3_rad=0.7,
        beam_center_x_pixels=10.5, beam_center_y_pixels=7.5,
    )  # fmt: skip
    found = geometry_of(in_memory(frames=random_frames(1)), (16, 16), given)
    theirs = found.integrator().getFit2D()
    assert (theirs["centerX"], theirs["centerY"]) == pytest.approx((10.5, 7.5), rel=1e-9)
    q = found.q_per_nm()
    assert np.unravel_index(q.argmin(), q.shape) == (7, 10)


def test_a_named_detector_brings_its_pixels_and_its_gaps(in_memory, random_frames, scalar_array):
    named = scalar_array("detector_name", "Pilatus 100k")
    calibration = poni(in_memory, random_frames, scalar_array, detector_name=named)
    dataset = in_memory(random_frames())
    found = geometry_of(dataset, (195, 487), GeometryParameters(), calibration)
    assert (found.x_pixel_size_m, found.y_pixel_size_m) == (172e-6, 172e-6)
    assert found.detector_name == "Pilatus 100k"
    eiger = geometry_of(
        dataset, (1065, 1030), GeometryParameters(detector_name="Eiger_1M"), calibration
    )
    gaps = eiger.gaps()
    assert gaps is not None
    assert gaps.shape == (1065, 1030)
    assert 0 < gaps.mean() < 0.1


@pytest.mark.parametrize("name", ["Eigerrr", "/etc/passwd", "detector.h5", "NexusDetector"])
def test_an_unknown_detector_is_refused_and_no_file_is_opened(in_memory, random_frames, name):
    given = GeometryParameters(detector_name=name)
    with pytest.raises(ParameterError, match="pyFAI does not know"):
        geometry_of(in_memory(random_frames()), (60, 50), given)


def test_a_named_detector_of_another_shape_is_refused(in_memory, random_frames):
    given = GeometryParameters(detector_name="Eiger_1M")
    found = geometry_of(in_memory(random_frames()), (60, 50), given)
    with pytest.raises(ParameterError, match=r"\(1065, 1030\); these have \(60, 50\)"):
        found.q_per_nm()


def test_the_energy_follows_from_the_wavelength():
    assert GEOMETRY.energy_keV == pytest.approx(12.398419843320026, rel=1e-11)


def test_a_number_for_each_frame_is_taken_where_all_are_the_same(
    in_memory, scalar_array, random_frames
):
    def dataset(values):
        return in_memory(random_frames(), distance=scalar_array("distance", values, "mm"))

    found = geometry_of(dataset([1500.0, 1500.0, 1500.0]), (60, 50), GeometryParameters())
    assert found.distance_m == 1.5
    with pytest.raises(ParameterError, match="distance has 2 values, which are not all") as caught:
        geometry_of(dataset([1500.0, 1600.0]), (60, 50), GeometryParameters())
    assert "-p distance_m=" in caught.value.next_step


def test_a_beam_centre_that_nobody_set_is_not_believed(in_memory, scalar_array):
    nobody = {
        f"beam_center_{axis}": scalar_array(f"beam_center_{axis}", value, "pixel")
        for axis, value in (("x", 0.0), ("y", [0, 0, 0]))
    }
    unset = in_memory(np.zeros((1, 30, 40), np.uint16), **nobody)
    shape = (30, 40)
    for given in ({}, {"beam_center_x_pixels": 3.0}, {"poni1_m": 0.0}):
        with pytest.raises(ParameterError, match=r"beam centre is \(0, 0\), which") as told:
            geometry_of(unset, shape, GeometryParameters(**given))
        assert "-p beam_center_x_pixels=... -p beam_center_y_pixels=..." in told.value.next_step
        assert "geometry=PID" in told.value.next_step
        assert "/entry/beam_center_" in told.value.where
    # What is said on purpose is believed: by parameter, or by a calibration.
    corner = GeometryParameters(beam_center_x_pixels=0.0, beam_center_y_pixels=0.0)
    assert geometry_of(unset, shape, corner).poni1_m == 0
    points = {name: scalar_array(name, 0.0, "m") for name in ("poni1", "poni2")}
    calibration = unset.having(**points)
    assert geometry_of(unset, shape, GeometryParameters(), calibration).poni2_m == 0
    edge = unset.having(beam_center_x=scalar_array("beam_center_x", 0.5, "pixel"))
    assert geometry_of(edge, shape, GeometryParameters()).beam_center_x_pixels == 0.5


def test_pyfai_warns_of_nothing_that_is_nobodys_matter(caplog):
    with caplog.at_level(logging.DEBUG, "pyFAI"):
        GEOMETRY.integrator().corner_array(GEOMETRY.shape, unit="d*2_nm^-2")
    told = [each for each in caplog.records if each.name.startswith(("pyFAI", "silx"))]
    assert [each for each in told if each.levelno >= logging.WARNING] == []
    assert "No fast path" in caplog.text  # it is there for who looks for it
    # A warning that was not thought of is shown as before.
    caplog.clear()
    GEOMETRY.integrator().check_chi_disc((0.0, 9.0))
    assert [each.levelname for each in caplog.records] == ["WARNING"]


def test_the_axis_of_polarization_is_counted_against_the_azimuth_as_pyfai_does():
    upright = Geometry((201, 201), 0.01, 1e-10, 0.01005, 0.01005, 1e-4, 1e-4)
    seen = upright.polarization(1.0, np.radians(30))
    azimuth = upright.integrator().center_array(upright.shape, unit="chi_rad")
    ring = abs(upright.radial("r_mm") - 8) < 0.05
    least = azimuth[ring][seen[ring].argmin()]
    assert np.degrees(least) % 180 == pytest.approx(150, abs=4)
