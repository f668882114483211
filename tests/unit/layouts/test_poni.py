"""PONI files of every version give pyFAI's own geometry; what can't be carried is told by line."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from hsc.errors import LayoutError, SourceTooLargeError
from hsc.layouts import read_run
from hsc.model import Kind

NUMBERS = """Distance: 0.2
Poni1: 0.08
Poni2: 0.07
Rot1: 0.01
Rot2: -0.02
Rot3: 0.003
"""
PLAIN = 'Detector: Detector\nDetector_config: {"pixel1": 1e-4, "pixel2": 2e-4, "orientation": 2}\n'


def read(path, text=None, layout=None):
    if text is not None:
        path.write_text(text)
    return read_run(path, layout=layout, time_zone="UTC")


def values(run):
    """Give what stands under each role."""
    held = {each.path: each.pieces[0].dataset for each in run.arrays}
    return {
        role: held[path].read(str(run.files[0].path), path)[()] for role, path in run.roles.items()
    }


@pytest.mark.parametrize(
    ("detector", "config"),
    [
        ("Eiger4M", {"orientation": 2}),
        ("Pilatus1M", {"orientation": 3}),
        ("Detector", {"pixel1": 1e-4, "pixel2": 2e-4, "max_shape": [30, 40], "orientation": 4}),
    ],
)
def test_what_pyfai_saves_is_read_as_pyfai_reads_it(tmp_path, detector, config):
    logging.getLogger("silx.opencl").setLevel(logging.ERROR)
    from pyFAI import load
    from pyFAI.detectors import detector_factory
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator

    made = AzimuthalIntegrator(
        0.2, 0.08, 0.07, 0.01, -0.02, 0.003,
        detector=detector_factory(detector, config), wavelength=1.2e-10,
    )  # fmt: skip
    path = tmp_path / "my.poni"
    made.save(str(path))
    wanted = load(str(path))
    run = read(path)
    found = values(run)
    assert (run.layout, run.kind) == ("poni", Kind.CALIBRATION)
    assert not run.problems
    for role, name in (
        ("distance", "dist"), ("poni1", "poni1"), ("poni2", "poni2"), ("rot1", "rot1"),
        ("rot2", "rot2"), ("rot3", "rot3"), ("wavelength", "wavelength"),
    ):  # fmt: skip
        assert found[role] == getattr(wanted, name), role
    assert found["y_pixel_size"] == wanted.detector.pixel1
    assert found["x_pixel_size"] == wanted.detector.pixel2
    assert found["orientation"] == int(wanted.detector.orientation)
    assert tuple(found["detector_shape"]) == tuple(wanted.detector.max_shape)
    assert found.get("detector_name") == (None if detector == "Detector" else detector)


def test_version_1_has_pixel_sizes_of_its_own_and_the_third_orientation(tmp_path):
    run = read(tmp_path / "a.poni", "PixelSize1: 1e-4\nPixelSize2: 2e-4\nDetector: \n" + NUMBERS)
    found = values(run)
    assert (found["y_pixel_size"], found["x_pixel_size"]) == (1e-4, 2e-4)
    assert found["orientation"] == 3
    assert "wavelength" not in run.roles
    assert "detector_name" not in run.roles


def test_the_last_geometry_counts_where_several_were_appended(tmp_path):
    text = "poni_version: 2.1\n" + PLAIN + NUMBERS + "# again\n" + NUMBERS.replace("0.2", "0.3")
    assert values(read(tmp_path / "a.poni", text))["distance"] == 0.3


def test_units_stand_beside_every_length_and_angle(tmp_path):
    run = read(tmp_path / "a.poni", "poni_version: 2.1\n" + PLAIN + NUMBERS)
    units = {each.path.rpartition("/")[2]: each.attributes.get("units") for each in run.arrays}
    assert units["distance"] == units["poni1"] == units["x_pixel_size"] == "m"
    assert units["rot1"] == units["rot3"] == "rad"
    assert units["orientation"] is None


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        (NUMBERS.replace("0.2", "far", 1) + PLAIN, "distance is 'far'", 1),
        (NUMBERS.replace("0.2", "-1", 1) + PLAIN, "distance is '-1'", 1),
        (NUMBERS.replace("0.08", "nan") + PLAIN, "poni1 is 'nan'", 2),
        (NUMBERS.replace("0.07", "None") + PLAIN, "it says no poni2", 3),
        (NUMBERS + PLAIN.replace(": 2}", ": 7}"), "orientation is 7", 8),
        (NUMBERS + PLAIN.replace("1e-4", "0"), "pixel sizes are 0 and 0.0002", 8),
        (NUMBERS + "Detector_config: {", "detector_config is no JSON", 7),
        (NUMBERS + "Detector_config: []", "detector_config is no JSON object", 7),
        (NUMBERS + "poni_version: 4\n" + PLAIN, "version '4' of the PONI format", 7),
        (NUMBERS + "Detector: /etc/passwd\n", "pyFAI knows no detector '/etc/passwd'", 7),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path, text, said, line):
    with pytest.raises(LayoutError) as caught:
        read(tmp_path / "a.poni", text)
    assert said in caught.value.message
    assert caught.value.where == f"{tmp_path / 'a.poni'}, line {line}"


def test_missing_lines_are_named(tmp_path):
    with pytest.raises(LayoutError, match="no pixel sizes"):
        read(tmp_path / "a.poni", NUMBERS)
    with pytest.raises(LayoutError, match="needs a line detector_config"):
        read(tmp_path / "a.poni", "poni_version: 2\n" + NUMBERS)


@pytest.mark.parametrize(
    "line",
    ["Parallax: True", "SplineFile: /somewhere/a.spline"],
)
def test_what_bends_the_geometry_and_is_not_carried_is_a_problem(tmp_path, line):
    text = f"PixelSize1: 1e-4\nPixelSize2: 1e-4\n{NUMBERS}{line}\n"
    (problem,) = read(tmp_path / "a.poni", text).problems
    assert problem.path.startswith("/entry/instrument/detector@")


def test_a_binned_detector_of_a_name_is_one_of_plain_pixels_or_a_problem(tmp_path):
    plain = 'Detector: {}\nDetector_config: {{"pixel1": 1.5e-4, "pixel2": 1.5e-4}}\n'
    frelon = read(tmp_path / "a.poni", plain.format("FReLoN") + NUMBERS)
    assert not frelon.problems
    assert "detector_name" not in frelon.roles
    assert values(frelon)["x_pixel_size"] == 1.5e-4
    eiger = read(tmp_path / "b.poni", plain.format("Eiger4M") + NUMBERS)
    assert "Eiger4M of pixels (0.00015, 0.00015) m" in eiger.problems[0].reason


def test_a_file_of_any_size_is_not_read_as_a_geometry(tmp_path):
    with pytest.raises(SourceTooLargeError):
        read(tmp_path / "a.poni", NUMBERS + PLAIN + "#\n" * 2**21 + "#" * 64)


def test_numbers_of_no_dimension_stay_so(tmp_path):
    run = read(tmp_path / "a.poni", "poni_version: 2.1\n" + PLAIN + NUMBERS)
    assert all(each.shape == () for each in run.arrays)
    assert all(np.ndim(value) == 0 for value in values(run).values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"poni_version: 2.1\n{PLAIN}{NUMBERS}Wavelength: 1.0\n", "no length in m"),
        (f"PixelSize1: 172\nPixelSize2: 172\n{NUMBERS}", "impossible"),
    ],
)
def test_angstroms_and_micrometres_in_the_place_of_metres_are_refused(tmp_path, text, said):
    with pytest.raises(LayoutError, match=said):
        read(tmp_path / "a.poni", text)
