"""What the columns of a spectrum or scan are, and their units, by their names in files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre", "nanometres"), "nm"),
    **dict.fromkeys(("å", "a", "ang", "angstrom", "angstroms"), "angstrom"),
    **dict.fromkeys(("ev",), "eV"),
    **dict.fromkeys(("kev",), "keV"),
    **dict.fromkeys(("1/nm", "nm^-1", "nm-1", "nm⁻¹", "1/nanometer"), "1/nm"),
    **dict.fromkeys(
        ("1/å", "1/a", "å^-1", "a^-1", "å-1", "a-1", "å⁻¹", "1/angstrom", "angstrom^-1"),
        "1/angstrom",
    ),
    **dict.fromkeys(("mdeg", "millideg", "millidegree", "millidegrees"), "mdeg"),
    **dict.fromkeys(("deg", "degree", "degrees"), "deg"),
    **dict.fromkeys(("v", "volt", "volts"), "V"),
    **dict.fromkeys(("kv",), "kV"),
    **dict.fromkeys(("counts", "cps", "a.u.", "arb. units", "arbitrary units"), ""),
    **dict.fromkeys(("cm^-1", "1/cm", "cm-1", "cm⁻¹"), "1/cm"),
}
_ANYWHERE = ("", "1/cm")
"""Units that are the same of whatever they stand beside."""
# Role: its names, and the units it may have; an empty tuple: any, or none.
_ROLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "wavelength": (("wavelength", "lambda", "λ", "wl"), ("nm", "angstrom")),
    "energy": (("energy", "photon energy"), ("eV", "keV")),
    "q": (("q",), ("1/nm", "1/angstrom")),
    "ellipticity": (
        ("ellipticity", "cd", "cd signal", "circular dichroism", "theta", "θ"),
        ("mdeg", "deg"),
    ),
    "ellipticity_error": (("ellipticity error", "cd error"), ("mdeg", "deg")),
    "ht": (("ht", "hv", "ht voltage", "high tension", "dynode voltage"), ("V", "kV")),
    "absorbance": (("absorbance", "abs", "od"), ()),
    "intensity": (("intensity", "i", "i(q)", "signal", "counts", "flux"), ()),
    "intensity_error": (
        ("intensity error", "i error", "error", "errors", "sigma", "sigma(i)", "std", "idev"),
        (),
    ),
}
_BY_NAME = {name: role for role, (names, _) in _ROLES.items() for name in names}
# Words that are a name and its unit at once, as JASCO has them.
_WHOLE = {"nanometers": ("wavelength", "nm"), "nm": ("wavelength", "nm"), "ev": ("energy", "eV")}
_BRACKETED = re.compile(r"\s*(.*?)\s*[\[(]\s*(.*?)\s*[\])]\s*")
AXES = ("wavelength", "energy", "q")
"""Roles that a spectrum may have along its axis."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as its name is understood."""

    name: str
    """What the file calls it."""
    role: str | None
    """What it is for; None: not known."""
    units: str | None
    """Its unit; None: the file says none."""

    @property
    def units_fit(self) -> bool:
        """Whether it has a unit that its role may have."""
        allowed = _ROLES[self.role][1] if self.role else ()
        return not allowed or self.units in allowed

    @property
    def units_wanted(self) -> tuple[str, ...]:
        """Units that its role may have; empty: any."""
        return _ROLES[self.role][1] if self.role else ()


def column_of(text: str) -> Column:
    """Tell what a column is by its name.

    Examples
    --------
    >>> column_of("CD [mdeg]")
    Column(name='CD [mdeg]', role='ellipticity', units='mdeg')
    >>> column_of("Wavelength/nm").units, column_of("I(q)").role, column_of("pump").role
    ('nm', 'intensity', None)
    """
    plain = _plain(text)
    if plain in _WHOLE:
        return Column(text, *_WHOLE[plain])
    if plain in _BY_NAME:
        return Column(text, _BY_NAME[plain], None)
    for name, unit in _parted(text):
        known = _UNITS.get(unit.strip().casefold().replace("−", "-"))
        role = _BY_NAME.get(_plain(name))
        if role and not _ROLES[role][1]:
            # An intensity in A is a current, no length: what has one meaning is spelt anew.
            return Column(text, role, (known if known in _ANYWHERE else unit.strip()) or None)
        if role and known is not None:
            return Column(text, role, known)
    return Column(text, None, None)


def _parted(text: str) -> list[tuple[str, str]]:
    """Give the ways to part a text into a name and a unit."""
    found = []
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed:
        found.append((bracketed[1], bracketed[2]))
    for separator in ("/", ",", "_", " "):
        name, parted, unit = text.rpartition(separator)
        if parted:
            found.append((name, unit))
    name, parted, unit = text.partition("/")
    if parted:
        found.append((name, unit))
    return found


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split())
