"""Quantities: a number with the unit it was given in, and its SI value beside it."""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Any

from pydantic import Field

from hsc.model.limits import UNIT_CHARACTERS
from hsc.model.wire import Record

# Raw unit strings never reach pint: it reads ``ph/s`` as pico-hour per second and ``a.u.`` as an
# atomic unit. Only these spellings are understood; all others are kept, and found by their text.
_PINT_NAMES = {
    "1": "dimensionless",
    "": "dimensionless",
    "eV": "electron_volt",
    "keV": "kiloelectron_volt",
    "MeV": "megaelectron_volt",
    "meV": "millielectron_volt",
    "J": "joule",
    "m": "meter",
    "cm": "centimeter",
    "mm": "millimeter",
    "um": "micrometer",
    "µm": "micrometer",
    "nm": "nanometer",
    "pm": "picometer",
    "angstrom": "angstrom",
    "Angstrom": "angstrom",
    "Å": "angstrom",
    "A": "angstrom",
    "s": "second",
    "ms": "millisecond",
    "us": "microsecond",
    "µs": "microsecond",
    "ns": "nanosecond",
    "min": "minute",
    "h": "hour",
    "K": "kelvin",
    "degC": "degree_Celsius",
    "°C": "degree_Celsius",
    "deg": "degree",
    "rad": "radian",
    "Hz": "hertz",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "Pa": "pascal",
    "bar": "bar",
    "mbar": "millibar",
    "V": "volt",
    "mA": "milliampere",
    "kg": "kilogram",
    "g": "gram",
    "mg/ml": "milligram / milliliter",
    "g/l": "gram / liter",
    "1/m": "1 / meter",
    "1/cm": "1 / centimeter",
    "1/nm": "1 / nanometer",
    "1/angstrom": "1 / angstrom",
    "1/A": "1 / angstrom",
    "1/Å": "1 / angstrom",
}


class Quantity(Record):
    """A number with its unit, exactly as it was given.

    Examples
    --------
    >>> Quantity(value=12.0, unit="keV").si()
    (1.92...e-15, '[length]^2 [mass]^1 [time]^-2')
    >>> Quantity(value=3.0, unit="ph/s").si() is None
    True
    """

    value: float
    """The number, in ``unit``."""
    unit: Annotated[str, Field(max_length=UNIT_CHARACTERS)]
    """The unit's symbol as given; ``1`` for a plain number."""

    def si(self) -> tuple[float, str] | None:
        """Give value and dimension in SI base units; None when the unit is not known."""
        name = _PINT_NAMES.get(self.unit.strip())
        if name is None:
            return None
        converted = _registry().Quantity(self.value, name).to_base_units()
        magnitude = float(converted.magnitude)
        if not math.isfinite(magnitude):
            return None
        powers = sorted(converted.dimensionality.items())
        return magnitude, " ".join(f"{name}^{power:g}" for name, power in powers) or "1"


@cache
def _registry() -> Any:
    # pint costs 0.2 s to import; commands that compare no quantities don't pay for it.
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
