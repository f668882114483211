"""Pixels stand where their chains put them, and have the solid angle that they show the sample."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest
import scipp as sc
from ess.sans.common import beam_center_to_detector_position_offset

import hsc
from hsc.client import connect
from hsc.errors import ParameterError, ReductionError, RoleMissingError
from hsc.reading import open_dataset
from hsc.reductions.sans.parameters import SansParameters
from hsc.reductions.sans.pixels import pixels_of
from hsc.reductions.sans.places import beam_of
from hsc.reductions.sans.runs import scattering_run
from hsc.testing import EventSansModel, StrawBank, measure_events, write_event_file

MODEL = EventSansModel(
    banks=(StrawBank("side", 3, 4, distance_m=1.5, angle_deg=15.0, first=7),), incident_counts=900.0
)


@pytest.fixture
def written(tmp_path):
    return write_event_file(tmp_path / "run.nxs", measure_events(MODEL, "sample"))


def opened(path):
    pid = hsc.ingest(str(path)).pid
    with connect() as catalog:
        return open_dataset(catalog.get(pid))


def pixels(path, **parameters):
    run = scattering_run(opened(path), SansParameters(**parameters), None, transmitted=False)
    return pixels_of(run.banks[0])


def test_straws_stand_and_look_as_the_model_says(written):
    bank, found = MODEL.banks[0], pixels(written)
    assert found.paths.first == 7
    np.testing.assert_allclose(found.paths.table[:, 1:], bank.positions_m(), atol=1e-14)
    np.testing.assert_allclose(found.solid_angle, bank.solid_angles(), rtol=1e-12)


def test_a_beam_centre_is_taken_off_as_esssans_does_and_numbers_are_masked(written):
    given = {"beam_center_x_m": 0.012, "beam_center_y_m": -0.004}
    found = pixels(written, masked_detector_numbers="8, 10-11", **given)
    moved = beam_center_to_detector_position_offset(sc.vector([0.012, -0.004, 0], unit="m"))
    places = MODEL.banks[0].positions_m() + moved.values
    np.testing.assert_allclose(found.paths.table[:, 1:], places, atol=1e-14)
    assert np.flatnonzero(np.isnan(found.paths.table[:, 0])).tolist() == [1, 3, 4]
    for wrong, said in (("90-99", "no pixel has such a number"), ("7-x", "'7-x'")):
        with pytest.raises(ParameterError, match=said):
            pixels(written, masked_detector_numbers=wrong)


def test_pixels_without_a_place_are_refused_unless_they_are_masked(written):
    with h5py.File(written, "r+") as file:
        file["entry/instrument/side/x_pixel_offset"][1, 2] = np.nan
    with pytest.raises(ReductionError, match=r"1 pixels have no finite place.*number 13"):
        pixels(written)
    assert np.isnan(pixels(written, masked_detector_numbers="13").paths.table[6, 0])
    with h5py.File(written, "r+") as file:
        del file["entry/instrument/side/depends_on"]
    with pytest.raises(RoleMissingError, match="or 'depends_on' places the bank"):
        pixels(written)


def test_rectangles_have_the_area_that_faces_the_sample(written):
    with h5py.File(written, "r+") as file:
        detector = file["entry/instrument/side"]
        del detector["pixel_shape"]
        for name, size_mm in (("x_pixel_size", 6.0), ("y_pixel_size", 4.0)):
            detector[name] = size_mm
            detector[name].attrs["units"] = "mm"
    place = MODEL.banks[0].positions_m()
    far = np.linalg.norm(place, axis=1)
    normal = np.array([np.sin(np.radians(15)), 0, np.cos(np.radians(15))])
    expected = 6e-3 * 4e-3 * np.abs(place @ normal) / far**3
    np.testing.assert_allclose(pixels(written).solid_angle, expected, rtol=1e-12)


def test_sizes_stand_for_rows_and_columns_and_shapes_are_of_one_pixel(written):
    with h5py.File(written, "r+") as file:
        detector = file["entry/instrument/side"]
        whole = detector.create_group("detector_shape")
        whole.attrs["NX_class"] = "NXcylindrical_geometry"
        whole["vertices"] = np.ones((12, 3))
        whole["vertices"].attrs["units"] = "m"
    np.testing.assert_allclose(
        pixels(written).solid_angle, MODEL.banks[0].solid_angles(), rtol=1e-12
    )
    with h5py.File(written, "r+") as file:
        del file["entry/instrument/side/pixel_shape"]
    with pytest.raises(
        ReductionError, match=r"shape \(12, 3\); the three vertices of one cylinder"
    ):
        pixels(written)
    with h5py.File(written, "r+") as file:
        detector = file["entry/instrument/side"]
        del detector["detector_shape"]
        for name, sizes_mm in (("x_pixel_size", [6.0, 6, 6, 12]), ("y_pixel_size", [4.0, 8, 4])):
            detector[name] = sizes_mm
            detector[name].attrs["units"] = "mm"
    found = pixels(written).solid_angle.reshape(3, 4)
    np.testing.assert_allclose(found[1, 1] / found[2, 1], 2.0, rtol=1e-3)
    np.testing.assert_allclose(found[0, 3] / found[0, 2], 2.0, rtol=0.02)
    with h5py.File(written, "r+") as file:
        del file["entry/instrument/side/x_pixel_size"]
        file["entry/instrument/side/x_pixel_size"] = np.ones(5)
        file["entry/instrument/side/x_pixel_size"].attrs["units"] = "mm"
    with pytest.raises(ReductionError, match=r"sizes along x have the shape \(5,\)"):
        pixels(written)


def test_without_gravity_only_angles_are_kept(written):
    with_fall, without = pixels(written), pixels(written, gravity=False)
    x, y, z = with_fall.paths.table[:, 1:].T
    assert with_fall.paths.drop > 0
    assert without.paths.drop == 0
    k = 4 * np.pi * np.sin(np.arctan2(np.hypot(x, y), z) / 2)
    np.testing.assert_allclose(without.paths.table[:, 1], k, rtol=1e-12)


def changed(path, what):
    with h5py.File(path, "r+") as file:
        what(file["entry/instrument"])
    return path


def test_what_pixels_lack_is_named(written, tmp_path):
    def no_shape(instrument):
        del instrument["side/pixel_shape"]

    def no_unit(instrument):
        del instrument["side/x_pixel_offset"].attrs["units"]

    copies = [tmp_path / f"{number}.nxs" for number in range(2)]
    for copy in copies:
        copy.write_bytes(written.read_bytes())
    with pytest.raises(RoleMissingError, match=r"pixel_shape.*in m"):
        pixels(changed(copies[0], no_shape))
    with pytest.raises(ParameterError, match=r"unit of .*x_pixel_offset is ''; one such as m"):
        pixels(changed(copies[1], no_unit))


def test_a_beam_that_is_not_level_has_no_fall(written):
    def slope(instrument):
        place = instrument["source/transformations/place"]
        place.attrs["vector"] = np.array([0.0, 0.1, -1.0])

    dataset = opened(changed(written, slope))
    with pytest.raises(ReductionError, match="not level"):
        beam_of(dataset, gravity=True)
    assert abs(beam_of(dataset, gravity=False).length_m - 23.6 * np.sqrt(1.01)) < 1e-12


def test_a_monitor_of_bins_counts_like_one_of_events(tmp_path):
    run = measure_events(replace(MODEL, wavelengths_angstrom=(2.0, 9.0)), "sample")
    path = write_event_file(tmp_path / "bins.nxs", run)
    edges = np.linspace(0.0, 7e7, 141)
    counts = np.histogram(run.monitors[0].time_ns, edges)[0]
    with h5py.File(path, "r+") as file:
        monitor = file["entry/instrument/monitor_1"]
        del monitor["monitor_1_events"]
        monitor["data"] = counts
        monitor["time_of_flight"] = edges / 1000
        monitor["time_of_flight"].attrs["units"] = "us"
    found = scattering_run(opened(path), SansParameters(), None, transmitted=False).incident
    assert found.counts.sum() == counts.sum()
    np.testing.assert_allclose(found.edges, edges * 1e-9 * 3956.0340061 / 21.6, rtol=1e-9)
