"""Where NeXus, canSAS and DECTRIS files keep the facts of a measurement, and the units they mean.

A path goes through groups by their NeXus class or name and ends at a field. The first path with an
answer counts. A unit stands here where the standard or the detector's maker names one for files
that write none; without one, such a number is left out, because nobody knows what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Number(NamedTuple):
    """Where a number stands."""

    paths: tuple[str, ...]
    """Paths in the entry, in the order they are tried."""
    unit: str | None = None
    """Unit meant where none is written."""


_DETECTOR = "NXinstrument/NXdetector"
_MONOCHROMATOR = "NXinstrument/NXmonochromator"
_SOURCE = "NXinstrument/NXsource"
_ATTENUATOR = "NXinstrument/NXattenuator"


def _beam(*names: str) -> tuple[str, ...]:
    places = ("NXinstrument/NXbeam", "NXsample/NXbeam", "NXbeam")
    return tuple(f"{place}/{name}" for place in places for name in names)


NUMBERS: Mapping[str, Number] = MappingProxyType(
    {
        "wavelength": Number(
            (
                *_beam("incident_wavelength"),
                f"{_MONOCHROMATOR}/wavelength",
                f"{_MONOCHROMATOR}/NXcrystal/wavelength",
                f"{_SOURCE}/incident_wavelength",
            ),
            "angstrom",
        ),
        "photon_energy": Number(
            (
                *_beam("incident_energy"),
                f"{_MONOCHROMATOR}/energy",
                f"{_DETECTOR}/detectorSpecific/photon_energy",
            ),
            "eV",
        ),
        "wavelength_spread": Number(
            (*_beam("incident_wavelength_spread"), f"{_MONOCHROMATOR}/wavelength_spread")
        ),
        "flux": Number(_beam("total_flux", "flux")),
        "detector_distance": Number(
            (f"{_DETECTOR}/detector_distance", f"{_DETECTOR}/distance", f"{_DETECTOR}/SDD"), "m"
        ),
        "count_time": Number((f"{_DETECTOR}/count_time", f"{_DETECTOR}/exposure_time"), "s"),
        "frame_time": Number((f"{_DETECTOR}/frame_time",), "s"),
        "beam_center_x": Number((f"{_DETECTOR}/beam_center_x",), "px"),
        "beam_center_y": Number((f"{_DETECTOR}/beam_center_y",), "px"),
        "x_pixel_size": Number((f"{_DETECTOR}/x_pixel_size",), "m"),
        "y_pixel_size": Number((f"{_DETECTOR}/y_pixel_size",), "m"),
        "threshold_energy": Number((f"{_DETECTOR}/threshold_energy",), "eV"),
        "sensor_thickness": Number((f"{_DETECTOR}/sensor_thickness",), "m"),
        "attenuator_transmission": Number((f"{_ATTENUATOR}/attenuator_transmission",), "1"),
        "attenuator_thickness": Number((f"{_ATTENUATOR}/thickness",)),
        "ring_current": Number((f"{_SOURCE}/current", "NXsource/current")),
        "ring_energy": Number((f"{_SOURCE}/energy", "NXsource/energy")),
        "rotation_increment": Number(("NXsample/NXgoniometer/omega_increment",), "deg"),
        "temperature": Number(("NXsample/temperature",)),
        "pressure": Number(("NXsample/pressure",)),
        "magnetic_field": Number(("NXsample/magnetic_field",)),
        "electric_field": Number(("NXsample/electric_field",)),
        "concentration": Number(("NXsample/concentration",)),
        "sample_thickness": Number(("NXsample/thickness",)),
        "transmission": Number(("NXsample/transmission",), "1"),
    }
)
"""Name of a quantity to where it stands."""

SAMPLE_NUMBERS = ("temperature", "pressure", "magnetic_field", "electric_field", "concentration",
                  "sample_thickness")  # fmt: skip
"""Those that say something of the sample."""

LASTING = (
    "wavelength", "photon_energy", "wavelength_spread", "detector_distance", "ring_energy",
    "attenuator_transmission", *SAMPLE_NUMBERS,
)  # fmt: skip
"""Those that hold for what was reduced from the data as well."""

PROPOSAL = ("proposal_identifier", "proposal_id", "experiment_identifier", "proposal")
"""Fields of the entry that name the proposal, the surest first."""

TEXTS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "identifiers": {
            "entry": ("entry_identifier",),
            "collection": ("collection_identifier",),
            "run": ("run_number", "run"),
        },
        "detector": {
            "description": (f"{_DETECTOR}/description", f"{_DETECTOR}/name"),
            "number": (f"{_DETECTOR}/detector_number", f"{_DETECTOR}/serial_number"),
            "type": (f"{_DETECTOR}/type",),
            "sensor_material": (f"{_DETECTOR}/sensor_material",),
        },
        "source": {
            "name": (f"{_SOURCE}/name", "NXsource/name"),
            "type": (f"{_SOURCE}/type", "NXsource/type"),
            "probe": (f"{_SOURCE}/probe", "NXsource/probe", f"{_SOURCE}/radiation"),
        },
        "attenuator": {"type": (f"{_ATTENUATOR}/type",)},
    }
)
"""Texts that are kept beside the quantities, in groups."""
