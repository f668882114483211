"""Where a geometry and what the dataset itself says of the beam and detector do not agree."""

from __future__ import annotations

from hsc.errors import ParameterError
from hsc.reductions.geometry import Geometry
from hsc.reductions.numbers import Sought, look_up
from hsc.reductions.poni import GeometryParameters
from hsc.reductions.sources import SourceDataset

# h c in J m; both are exact by the definition of the SI (CGPM 2018).
_PLANCK_LIGHT_J_M = 6.62607015e-34 * 299792458.0
_ENERGY = "[length]^2 [mass]^1 [time]^-2"
# Monochromators are set to 1e-4 and files round; a refined distance is off the nominal one by cm.
_BEAM_TOLERANCE = 1e-3
_PIXEL_TOLERANCE = 1e-2
_DISTANCE_TOLERANCE = 0.1
_COMPARED = (
    Sought("wavelength_m", "wavelength", "angstrom", "wavelength"),
    Sought("x_pixel_size_m", "x_pixel_size", "m", "length"),
    Sought("y_pixel_size_m", "y_pixel_size", "m", "length"),
    Sought("distance_m", "distance", "m", "length"),
)
_MEANT = {
    "wavelength_m": (_BEAM_TOLERANCE, "was it refined with another beam?"),
    "x_pixel_size_m": (_PIXEL_TOLERANCE, "is it that of another detector, or of binned pixels?"),
    "y_pixel_size_m": (_PIXEL_TOLERANCE, "is it that of another detector, or of binned pixels?"),
    "distance_m": (_DISTANCE_TOLERANCE, "was it refined elsewhere?"),
}


def contradictions(
    dataset: SourceDataset,
    geometry: Geometry,
    given: GeometryParameters,
    calibration: SourceDataset | None = None,
) -> tuple[str, ...]:
    """Tell in sentences what of a geometry the dataset contradicts.

    What was given as a parameter is meant, and nothing is said of it.

    Parameters
    ----------
    dataset
        Whose frames they are.
    geometry
        What was found for it.
    given, calibration
        From which it was found, beside the dataset's own metadata.
    """
    said = [] if calibration is None else _unlike_calibration(dataset, geometry, given)
    if not said or not said[0].startswith("wavelength_m"):
        said += _unlike_energy(dataset, geometry, given)
    return tuple(said)


def _unlike_calibration(
    dataset: SourceDataset, geometry: Geometry, given: GeometryParameters
) -> list[str]:
    said = []
    for sought in _COMPARED:
        name = sought.parameter
        if getattr(given, name) is not None:
            continue
        own, used = _own(dataset, sought), float(getattr(geometry, name))
        tolerance, question = _MEANT[name]
        if own is not None and own > 0 and abs(used / own - 1) > tolerance:
            said.append(
                f"{name} is {used:.6g} by the geometry given, and {own:.6g} by the dataset "
                f"itself: {question} The geometry's was taken; -p {name}=... says which is right"
            )
    return said


def _own(dataset: SourceDataset, sought: Sought) -> float | None:
    try:
        found = look_up(dataset, None, sought)
    except ParameterError:  # it went by another number so far, and contradicts nothing
        return None
    return None if found is None else found.value


def _unlike_energy(
    dataset: SourceDataset, geometry: Geometry, given: GeometryParameters
) -> list[str]:
    energy = dataset.record.quantities.get("photon_energy")
    found = None if energy is None else energy.si()
    if given.wavelength_m is not None or energy is None or found is None:
        return []
    joule, dimension = found
    if dimension != _ENERGY or not joule > 0:
        return []
    ratio = _PLANCK_LIGHT_J_M / joule / geometry.wavelength_m
    if abs(ratio - 1) <= _BEAM_TOLERANCE:
        return []
    return [
        f"the wavelength is {geometry.wavelength_angstrom:.6g} angstrom, of photons of "
        f"{geometry.energy_keV:.6g} keV, and the dataset says {energy.value:g} {energy.unit}: one "
        "of them is wrong; -p wavelength_m=... says what is right"
    ]
