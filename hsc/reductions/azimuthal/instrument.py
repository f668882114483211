"""The instrument of an integrated dataset, as a NeXus group."""

from __future__ import annotations

from hsc.reductions import nexus
from hsc.reductions.azimuthal.geometry import Geometry
from hsc.store import NewArray, NewGroup


def instrument_groups(
    path: str, name: str | None, geometry: Geometry
) -> tuple[list[NewGroup], list[NewArray]]:
    """Write wavelength and detector geometry as an NXinstrument group."""
    detector, beam = f"{path}/detector", f"{path}/monochromator"
    groups = [
        nexus.group(path, "NXinstrument"),
        nexus.group(beam, "NXmonochromator"),
        nexus.group(detector, "NXdetector"),
    ]
    arrays = [
        nexus.scalar(f"{path}/name", name or "unknown"),
        nexus.scalar(f"{beam}/wavelength", geometry.wavelength_angstrom, "angstrom"),
        nexus.scalar(f"{detector}/distance", geometry.distance_m, "m"),
        nexus.scalar(f"{detector}/beam_center_x", geometry.beam_center_x_pixels, "pixel"),
        nexus.scalar(f"{detector}/beam_center_y", geometry.beam_center_y_pixels, "pixel"),
        nexus.scalar(f"{detector}/x_pixel_size", geometry.x_pixel_size_m, "m"),
        nexus.scalar(f"{detector}/y_pixel_size", geometry.y_pixel_size_m, "m"),
        nexus.scalar(f"{detector}/orientation", geometry.orientation),
    ]
    return groups, arrays
