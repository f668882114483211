"""The units that are understood: symbols, names, factors to SI, dimensions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

Dimension = Mapping[str, int]
"""Base dimension to power; an empty one is a plain number."""


@dataclass(frozen=True, slots=True)
class Base:
    """One symbol: its factor to SI base units, its dimension, its zero."""

    factor: Fraction
    """How many SI units it is."""
    dimension: Dimension
    """Its dimension."""
    zero: Fraction = field(default=Fraction(0))
    """What 0 of it is in SI units: 273.15 for a degree Celsius that stands alone."""


_LENGTH, _AREA, _VOLUME = {"length": 1}, {"length": 2}, {"length": 3}
_TIME, _RATE = {"time": 1}, {"time": -1}
_MASS = {"mass": 1}
_CURRENT = {"current": 1}
_TEMPERATURE = {"temperature": 1}
_SUBSTANCE = {"substance": 1}
_ANGLE = {"angle": 1}
_COUNT = {"count": 1}
_ENERGY = {"length": 2, "mass": 1, "time": -2}
_POWER = {"length": 2, "mass": 1, "time": -3}
_FORCE = {"length": 1, "mass": 1, "time": -2}
_PRESSURE = {"length": -1, "mass": 1, "time": -2}
_VOLTAGE = {"length": 2, "mass": 1, "time": -3, "current": -1}
_FIELD = {"mass": 1, "time": -2, "current": -1}

_PREFIXES = {
    "f": (-15, "femto"),
    "p": (-12, "pico"),
    "n": (-9, "nano"),
    "µ": (-6, "micro"),
    "m": (-3, "milli"),
    "c": (-2, "centi"),
    "k": (3, "kilo"),
    "M": (6, "mega"),
    "G": (9, "giga"),
    "T": (12, "tera"),
}

# Exact by the SI of 2019.
_ELECTRON_VOLT_J = Fraction(Decimal("1.602176634e-19"))
# CODATA 2018, measured.
_DALTON_KG = Fraction(Decimal("1.66053906660e-27"))
_DEGREE_RAD = Fraction(math.pi) / 180

# Symbol, prefixes, names, factor, dimension. Names take the same prefixes, and an s at their end.
_PREFIXED: tuple[tuple[str, str, tuple[str, ...], Fraction, Dimension], ...] = (
    ("m", "fpnµmck", ("meter", "metre"), Fraction(1), _LENGTH),
    ("s", "fpnµm", ("second",), Fraction(1), _TIME),
    ("g", "pnµmk", ("gram",), Fraction(1, 1000), _MASS),
    ("A", "pnµmk", ("ampere",), Fraction(1), _CURRENT),
    ("K", "nµmk", ("kelvin",), Fraction(1), _TEMPERATURE),
    ("mol", "pnµmk", ("mole",), Fraction(1), _SUBSTANCE),
    ("rad", "nµm", ("radian",), Fraction(1), _ANGLE),
    ("eV", "µmkMGT", ("electronvolt", "electron_volt"), _ELECTRON_VOLT_J, _ENERGY),
    ("J", "fpnµmkMG", ("joule",), Fraction(1), _ENERGY),
    ("W", "fpnµmkMGT", ("watt",), Fraction(1), _POWER),
    ("N", "pnµmkM", ("newton",), Fraction(1), _FORCE),
    ("Pa", "mkMG", ("pascal",), Fraction(1), _PRESSURE),
    ("bar", "µmk", (), Fraction(10**5), _PRESSURE),
    ("V", "nµmkM", ("volt",), Fraction(1), _VOLTAGE),
    ("C", "fpnµm", ("coulomb",), Fraction(1), {"current": 1, "time": 1}),
    ("Hz", "mkMGT", ("hertz",), Fraction(1), _RATE),
    ("T", "nµm", ("tesla",), Fraction(1), _FIELD),
    ("L", "pnµm", ("liter", "litre"), Fraction(1, 1000), _VOLUME),
    ("l", "pnµm", (), Fraction(1, 1000), _VOLUME),
    ("M", "pnµm", ("molar",), Fraction(1000), {"substance": 1, "length": -3}),
    ("Da", "kM", ("dalton",), _DALTON_KG, _MASS),
    ("Gy", "mkM", ("gray",), Fraction(1), {"length": 2, "time": -2}),
    ("ohm", "mkM", (), Fraction(1), {**_VOLTAGE, "current": -2}),
    ("Ω", "mkM", (), Fraction(1), {**_VOLTAGE, "current": -2}),
    ("F", "fpnµm", ("farad",), Fraction(1), {"current": 2, "time": 4, "length": -2, "mass": -1}),
    ("S", "nµm", ("siemens",), Fraction(1), {"current": 2, "time": 3, "length": -2, "mass": -1}),
    ("cal", "k", ("calorie",), Fraction("4.184"), _ENERGY),
)

# Symbols without prefixes: all spellings, factor, dimension, zero.
_PLAIN: tuple[tuple[tuple[str, ...], Fraction, Dimension, Fraction], ...] = (
    (("1", "dimensionless", "unitless"), Fraction(1), {}, Fraction(0)),
    (("%", "percent", "wt%", "w%", "mol%", "vol%", "at%"), Fraction(1, 100), {}, Fraction(0)),
    (("‰",), Fraction(1, 1000), {}, Fraction(0)),
    (("ppm",), Fraction(1, 10**6), {}, Fraction(0)),
    (("ppb",), Fraction(1, 10**9), {}, Fraction(0)),
    (
        ("Å", "angstrom", "angstroms", "Angstrom", "Angstroms", "ang"),
        Fraction(1, 10**10),
        _LENGTH,
        Fraction(0),
    ),
    (("micron", "microns"), Fraction(1, 10**6), _LENGTH, Fraction(0)),
    (("inch",), Fraction("0.0254"), _LENGTH, Fraction(0)),
    (("barn",), Fraction(1, 10**28), _AREA, Fraction(0)),
    (("min", "minute", "minutes"), Fraction(60), _TIME, Fraction(0)),
    (("h", "hr", "hour", "hours"), Fraction(3600), _TIME, Fraction(0)),
    (("d", "day", "days"), Fraction(86400), _TIME, Fraction(0)),
    (("sec",), Fraction(1), _TIME, Fraction(0)),
    (("msec",), Fraction(1, 1000), _TIME, Fraction(0)),
    (("u", "amu"), _DALTON_KG, _MASS, Fraction(0)),
    (("Th",), _DALTON_KG / _ELECTRON_VOLT_J, {"mass": 1, "current": -1, "time": -1}, Fraction(0)),
    (("deg", "°", "degree", "degrees", "Degree", "Degrees"), _DEGREE_RAD, _ANGLE, Fraction(0)),
    (("mdeg",), _DEGREE_RAD / 1000, _ANGLE, Fraction(0)),
    (("arcmin",), _DEGREE_RAD / 60, _ANGLE, Fraction(0)),
    (("arcsec",), _DEGREE_RAD / 3600, _ANGLE, Fraction(0)),
    (("sr", "steradian"), Fraction(1), {"angle": 2}, Fraction(0)),
    (("rpm",), _DEGREE_RAD * 6, {"angle": 1, "time": -1}, Fraction(0)),
    (
        ("°C", "degC", "celsius", "Celsius", "degree_Celsius"),
        Fraction(1),
        _TEMPERATURE,
        Fraction("273.15"),
    ),
    (("°F", "degF"), Fraction(5, 9), _TEMPERATURE, Fraction("459.67") * 5 / 9),
    (
        ("delta_degC", "Δ°C", "delta_K", "ΔK"),
        Fraction(1),
        {"temperature_difference": 1},
        Fraction(0),
    ),
    (("atm",), Fraction(101325), _PRESSURE, Fraction(0)),
    (("Torr", "torr"), Fraction(101325, 760), _PRESSURE, Fraction(0)),
    (("psi",), Fraction("4.4482216152605") / Fraction("0.0254") ** 2, _PRESSURE, Fraction(0)),
    (("G", "Gauss", "gauss"), Fraction(1, 10**4), _FIELD, Fraction(0)),
    (("Bq",), Fraction(1), _RATE, Fraction(0)),
    (("Sv",), Fraction(1), {"length": 2, "time": -2}, Fraction(0)),
    (("cd", "candela"), Fraction(1), {"luminosity": 1}, Fraction(0)),
    (("cps",), Fraction(1), {"count": 1, "time": -1}, Fraction(0)),
    (
        (
            "ph",
            "photon",
            "photons",
            "count",
            "counts",
            "cts",
            "ct",
            "px",
            "pixel",
            "pixels",
            "electron",
            "electrons",
            "e-",
            "neutron",
            "neutrons",
            "event",
            "events",
            "hit",
            "hits",
            "pulse",
            "pulses",
            "shot",
            "shots",
            "frame",
            "frames",
            "train",
            "trains",
            "particles",
        ),
        Fraction(1),
        _COUNT,
        Fraction(0),
    ),
    (
        (
            "a.u.",
            "arb.u.",
            "arb. u.",
            "arb. unit",
            "arb. units",
            "arb",
            "arbitrary",
            "arbitrary units",
            "ADU",
            "adu",
        ),
        Fraction(1),
        {"arbitrary": 1},
        Fraction(0),
    ),
)


def _entries() -> Iterator[tuple[str, Base]]:
    for symbol, prefixes, names, factor, dimension in _PREFIXED:
        spelled = [symbol, *names, *(f"{name}s" for name in names)]
        yield from ((each, Base(factor, dimension)) for each in spelled)
        for prefix in prefixes:
            power, word = _PREFIXES[prefix]
            base = Base(factor * Fraction(10) ** power, dimension)
            yield prefix + symbol, base
            if prefix == "µ":
                yield "u" + symbol, base
            yield from ((word + each, base) for each in spelled[1:])
    for spellings, factor, dimension, zero in _PLAIN:
        yield from ((each, Base(factor, dimension, zero)) for each in spellings)


# Alone they mean too many things: C a coulomb or a degree Celsius, F a farad or a degree
# Fahrenheit, l and M a letter that was meant otherwise. A is an angstrom or an ampere: units.py.
_AMBIGUOUS = frozenset({"C", "F", "A"})

UNITS: Mapping[str, Base] = MappingProxyType(
    {symbol: base for symbol, base in _entries() if symbol not in _AMBIGUOUS}
)
"""Every symbol and name that is understood, to what it means."""
