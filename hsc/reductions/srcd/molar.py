"""From millidegrees to molar units: delta epsilon and mean residue ellipticity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from hsc.errors import ParameterError
from hsc.model import Record
from hsc.reductions.units import worded

Unit = Literal["mdeg", "delta_epsilon", "mean_residue_ellipticity"]
"""What a result may be in."""
Per = Literal["residue", "molecule"]
"""What delta epsilon is counted by."""

UNITS = {
    "mdeg": "mdeg",
    "delta_epsilon": "L mol^-1 cm^-1",
    "mean_residue_ellipticity": "deg cm^2 dmol^-1",
}
# theta [mdeg] = 1000 * (180 / pi) * (ln 10 / 4) * delta A = 32982 delta A (N. J. Greenfield, Nat.
# Protoc. 1, 2876 (2006), and B. A. Wallace and R. W. Janes, Modern Techniques for Circular
# Dichroism, IOS Press 2009). The rounded number is what the field's programs divide by.
MDEG_PER_ABSORBANCE = 32982.0
# [theta] = 3298.2 delta epsilon, by the same.
_G_PER_KG = 1000.0


class MolarParameters(Record):
    """What the sample was, as far as a unit needs it."""

    path_cm: float | None = Field(default=None, gt=0)
    """Length of the light's path in the cell, cm."""
    concentration_mol_per_l: float | None = Field(default=None, gt=0)
    """Concentration of molecules, mol/L."""
    concentration_mg_per_ml: float | None = Field(default=None, gt=0)
    """Concentration by mass, mg/mL, instead."""
    molar_mass_kda: float | None = Field(default=None, gt=0)
    """Mass of a molecule, kDa (kg/mol)."""
    residues: int | None = Field(default=None, ge=2)
    """Residues of a molecule, N; it has N - 1 bonds between them."""


@dataclass(frozen=True, slots=True)
class Factor:
    """What one millidegree is in another unit."""

    value: float
    """The factor."""
    formula: str
    """How it was worked out."""


def factor(unit: Unit, per: Per, given: MolarParameters) -> Factor:
    """Give what one millidegree is in a unit.

    With θ in mdeg, l in cm, c in mol/L of molecules and N residues:
    Δε = θ / (32982 c l) per molecule, and Δε = θ / (32982 c (N - 1) l) per residue.
    With c in mg/mL and the mean residue weight MRW = M / (N - 1) in g/mol:
    [θ] = θ MRW / (10 c l), which is 3298.2 Δε per residue.

    Raises
    ------
    ParameterError
        Numbers are missing, all of them named; or the concentration is given twice.
    """
    if unit == "mdeg":
        return Factor(1.0, "theta")
    by_mass = given.concentration_mg_per_ml is not None
    if by_mass and given.concentration_mol_per_l is not None:
        raise ParameterError(
            "concentration_mg_per_ml and concentration_mol_per_l are both given",
            next_step="give one of them",
        )
    per_residue = per == "residue" or unit == "mean_residue_ellipticity"
    _check(unit, given, by_mass, per_residue)
    path, residues = given.path_cm or 1.0, given.residues or 2
    bonds = residues - 1 if per_residue else 1
    if by_mass:
        # mg/mL are g/L: divided by g/mol of what is counted, they are mol/L of it.
        unit_mass = (given.molar_mass_kda or 1.0) * _G_PER_KG / bonds
        concentration = given.concentration_mg_per_ml or 1.0
        if unit == "mean_residue_ellipticity":
            return Factor(unit_mass / (10 * concentration * path), "theta MRW / (10 c l)")
        value = unit_mass / (MDEG_PER_ABSORBANCE * concentration * path)
        return Factor(value, "theta M / (32982 c l), M of what is counted, g/mol")
    counted = (given.concentration_mol_per_l or 1.0) * bonds
    delta_epsilon = 1 / (MDEG_PER_ABSORBANCE * counted * path)
    if unit == "mean_residue_ellipticity":
        return Factor(1 / (10 * counted * path), "3298.2 theta / (32982 c (N - 1) l)")
    return Factor(delta_epsilon, "theta / (32982 c l), c of what is counted, mol/L")


def _check(unit: Unit, given: MolarParameters, by_mass: bool, per_residue: bool) -> None:
    needed = ["path_cm"]
    if not by_mass and given.concentration_mol_per_l is None:
        needed.append("concentration_mol_per_l or concentration_mg_per_ml")
    if by_mass:
        needed.append("molar_mass_kda")
    if per_residue:
        needed.append("residues")
    missing = [name for name in needed if getattr(given, name, None) is None]
    if missing:
        said = ", ".join(" or ".join(map(worded, name.split(" or "))) for name in missing)
        counted = " per residue" if per_residue and unit == "delta_epsilon" else ""
        raise ParameterError(
            f"{unit}{counted} needs {said}, which no dataset says and nobody gave",
            next_step="give it: " + " ".join(f"-p {n.split(' or ')[0]}=..." for n in missing),
        )
