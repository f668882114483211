"""Units of plain numbers, read off the names that carry them: ``distance_m``, ``q_max_per_nm``."""

from __future__ import annotations

_UNITS = {
    "_angstrom": "angstrom",
    "_cm": "cm",
    "_counts": "counts",
    "_deg": "deg",
    "_ev": "eV",
    "_frames": "frames",
    "_kda": "kDa",
    "_kev": "keV",
    "_m": "m",
    "_mg_per_ml": "mg/mL",
    "_mm": "mm",
    "_mol_per_l": "mol/L",
    "_nm": "nm",
    "_per_angstrom": "1/angstrom",
    "_per_cm": "1/cm",
    "_per_nm": "1/nm",
    "_photons": "photons",
    "_pixels": "pixel",
    "_rad": "rad",
    "_s": "s",
    "_um": "um",
    "_v": "V",
}


def unit_of(name: str) -> str | None:
    """Give the unit that a name ends in; None when it names none.

    Examples
    --------
    >>> unit_of("q_max_per_nm"), unit_of("photon_energy_keV"), unit_of("bins")
    ('1/nm', 'keV', None)
    """
    endings = [end for end in _UNITS if name.lower().endswith(end)]
    return _UNITS[max(endings, key=len)] if endings else None


def worded(name: str) -> str:
    """Give a name with its unit, as errors say it.

    Examples
    --------
    >>> worded("distance_m"), worded("bins")
    ('distance_m (in m)', 'bins')
    """
    unit = unit_of(name)
    return f"{name} (in {unit})" if unit else name
