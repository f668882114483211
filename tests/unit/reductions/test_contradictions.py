"""Geometries that do not belong to the frames: refused, or told of beside the numbers."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ParameterError
from hsc.model import Quantity
from hsc.reductions.azimuthal.reduction import AZIMUTHAL
from hsc.workers import ThreadWorkers

FRAMES = np.ones((2, 6, 5), dtype=np.uint16)
OWN = {"distance": (2.0, "m"), "x_pixel_size": (172e-6, "m"), "wavelength": (1.0, "angstrom")}


@pytest.fixture
def calibration(in_memory, scalar_array):
    """Give a PONI that agrees with the dataset, but for what is said."""

    def make(**others):
        numbers = {
            "distance": (2.05, "m"),
            "poni1": (5e-4, "m"),
            "poni2": (1e-4, "m"),
            "x_pixel_size": (172e-6, "m"),
            "y_pixel_size": (172e-6, "m"),
            "wavelength": (1.0002e-10, "m"),
            **others,
        }
        dataset = in_memory(FRAMES)
        arrays = {role: scalar_array(role, *said) for role, said in numbers.items()}
        return dataset.without(*dataset.arrays).having(**arrays)

    return make


def warnings(dataset, asked=None, **others):
    given = {"bins": 3, **(asked or {})}
    outputs = AZIMUTHAL.run({"sample": dataset, **others}, given, ThreadWorkers(1))
    return outputs.results["warnings"]


def test_a_geometry_of_a_detector_of_another_shape_is_refused(in_memory, calibration):
    dataset = in_memory(FRAMES)
    assert warnings(dataset, geometry=calibration(detector_shape=([6, 5],))) == []
    with pytest.raises(ParameterError, match=r"of the shape \(5, 6\); the frames have \(6, 5\)"):
        warnings(dataset, geometry=calibration(detector_shape=([5, 6],)))


@pytest.mark.parametrize(
    ("role", "said", "told"),
    [
        ("wavelength", (1.24e-10, "m"), "wavelength_m is 1.24e-10 by the geometry given, and 1e-"),
        ("wavelength", (12.0, "keV"), "wavelength_m is 1.0332e-10 by the geometry given"),
        ("x_pixel_size", (75.0, "um"), "x_pixel_size_m is 7.5e-05 by the geometry given, and 0.00"),
        ("y_pixel_size", (344e-6, "m"), "y_pixel_size_m is 0.000344 by the geometry given"),
        ("distance", (3000.0, "mm"), "distance_m is 3 by the geometry given, and 2 by the dataset"),
    ],
)
def test_a_geometry_that_the_dataset_contradicts_is_told_of(
    in_memory, calibration, role, said, told
):
    (text,) = warnings(in_memory(FRAMES), geometry=calibration(**{role: said}))
    assert text.startswith(told)
    own, unit = OWN.get(role, (172e-6, "m"))
    meant = own * (1e-10 if unit == "angstrom" else 1)
    asked = {f"{role}_m": meant}
    assert warnings(in_memory(FRAMES), asked, geometry=calibration(**{role: said})) == []


def test_a_photon_energy_of_another_wavelength_is_told_of(in_memory):
    def dataset(energy_kev):
        found = in_memory(FRAMES)
        quantities = {"photon_energy": Quantity(value=energy_kev, unit="keV")}
        return type(found)(found.record.model_copy(update={"quantities": quantities}), found.arrays)

    assert warnings(dataset(12.398)) == []
    (text,) = warnings(dataset(10.0))
    assert text.startswith("the wavelength is 1 angstrom, of photons of 12.3984 keV, and the datas")
    assert "says 10 keV" in text
    assert warnings(dataset(10.0), {"wavelength_m": 1e-10}) == []


def test_quantities_are_those_that_were_computed_with(in_memory, calibration):
    found = in_memory(FRAMES)
    said = {
        "photon_energy": Quantity(value=12398.42, unit="eV"),
        "detector_distance": Quantity(value=2.0, unit="m"),
    }
    given = {"bins": 3, "wavelength_m": 2e-10}
    for quantities in ({}, said):
        record = found.record.model_copy(update={"quantities": quantities})
        inputs = {"sample": type(found)(record, found.arrays), "geometry": calibration()}
        made = AZIMUTHAL.run(inputs, given, ThreadWorkers(1)).quantities
        assert made["wavelength"] == Quantity(value=2.0, unit="angstrom")
        assert {"photon_energy", "detector_distance"} & made.keys() == quantities.keys()
    assert made["photon_energy"].value == pytest.approx(6.19921, rel=1e-6)
    assert made["detector_distance"] == Quantity(value=2.05, unit="m")
