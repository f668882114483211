"""The instrument of an integrated dataset: a NeXus group, and quantities to search by."""

from __future__ import annotations

from hsc.model import Dataset, Quantity
from hsc.reductions import nexus
from hsc.reductions.geometry import Geometry
from hsc.store import NewArray, NewGroup


def beam_quantities(record: Dataset, geometry: Geometry) -> dict[str, Quantity]:
    """Give what is to be searched by of beam and distance, as the numbers were computed with.

    The energy of photons and the distance go before those of the record that the frames are from,
    where it has them: a parameter or a calibration may have said otherwise.
    """
    found = {"wavelength": Quantity(value=geometry.wavelength_angstrom, unit="angstrom")}
    if "photon_energy" in record.quantities:
        found["photon_energy"] = Quantity(value=geometry.energy_keV, unit="keV")
    if "detector_distance" in record.quantities:
        found["detector_distance"] = Quantity(value=geometry.distance_m, unit="m")
    return found


def instrument_groups(
    path: str, name: str | None, geometry: Geometry, facility: str | None = None
) -> tuple[list[NewGroup], list[NewArray]]:
    """Write wavelength and detector geometry as an NXinstrument group, and a named facility."""
    detector, beam, source = f"{path}/detector", f"{path}/monochromator", f"{path}/source"
    groups = [
        nexus.group(path, "NXinstrument"),
        nexus.group(beam, "NXmonochromator"),
        nexus.group(detector, "NXdetector"),
    ]
    arrays = [
        nexus.scalar(f"{path}/name", name or "unknown"),
        nexus.scalar(f"{beam}/wavelength", geometry.wavelength_angstrom, "angstrom"),
        nexus.scalar(f"{beam}/energy", geometry.energy_keV, "keV"),
        nexus.scalar(f"{detector}/distance", geometry.distance_m, "m"),
        nexus.scalar(f"{detector}/poni1", geometry.poni1_m, "m"),
        nexus.scalar(f"{detector}/poni2", geometry.poni2_m, "m"),
        nexus.scalar(f"{detector}/rot1", geometry.rot1_rad, "rad"),
        nexus.scalar(f"{detector}/rot2", geometry.rot2_rad, "rad"),
        nexus.scalar(f"{detector}/rot3", geometry.rot3_rad, "rad"),
        nexus.scalar(f"{detector}/beam_center_x", geometry.beam_center_x_pixels, "pixel"),
        nexus.scalar(f"{detector}/beam_center_y", geometry.beam_center_y_pixels, "pixel"),
        nexus.scalar(f"{detector}/x_pixel_size", geometry.x_pixel_size_m, "m"),
        nexus.scalar(f"{detector}/y_pixel_size", geometry.y_pixel_size_m, "m"),
        nexus.scalar(f"{detector}/orientation", geometry.orientation),
    ]
    if facility is not None:
        groups.append(nexus.group(source, "NXsource"))
        arrays += [
            nexus.scalar(f"{source}/name", facility),
            nexus.scalar(f"{source}/type", "unknown"),
            nexus.scalar(f"{source}/probe", "x-ray"),
        ]
    return groups, arrays
