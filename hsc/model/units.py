"""Units as files and people write them, read by a small grammar over a table of what is allowed.

::

    unit    = product { "/" product }          after a slash no product without brackets:
    product = power { ( "*" | " " ) power }     "W/m K" is two things to two people
    power   = ( symbol | "(" unit ")" ) [ [ "^" | "**" ] integer ]
    symbol  = "1" | one of hsc/model/unit_table.py

Text is taken in Unicode's compatibility form, so that Å, µ, m² and ℃ have one spelling each.

What is counted (photons, counts, pixels, frames) has the dimension ``[count]`` and is never equal
to a plain number or to a frequency; angles have ``[angle]``, arbitrary units ``[arbitrary]``. Parts
of a whole (%, ppm, wt%) are plain numbers. A degree Celsius that stands alone is a temperature, on
its scale; in a product or power it is a kelvin; ``delta_degC`` has a dimension of its own. A plain
``A`` is an angstrom, as crystallographers write it, alone or beside counts and angles; beside
anything else it may be an ampere, and the unit is unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from hsc.model.unit_table import UNITS, Base

_LONGEST = 64
_DEEPEST = 2
_SPELLED = str.maketrans({"μ": "µ", "−": "-", "∆": "Δ", "·": "*", "⋅": "*", "∙": "*", "×": "*"})
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<symbol>a\.u\.|arb\.u\.|e-(?![0-9])|Δ?°[CF]?|[a-z]*[%‰]|[^\W\d]+|1(?![0-9]))"
    r"|(?P<power>(?:\^|\*\*)\s*(?:\((?P<held>[+-]?[1-9])\)|(?P<raised>[+-]?[1-9]))(?![0-9])"
    r"|(?P<bare>[+-]?[1-9])(?![0-9]))"
    r"|(?P<sign>[/*.()]))"
)
# An A beside these is an angstrom: a dose per area, a scattering vector.
_BESIDE_ANGSTROM = frozenset({"count", "angle", "arbitrary"})
_ANGSTROM = UNITS["angstrom"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that is understood."""

    factor: float
    """How many SI base units one of it is."""
    dimension: str
    """Its dimension, as in ``[length]^-1``; ``1`` for a plain number."""
    zero: float = 0.0
    """What 0 of it is in SI base units."""

    def si(self, value: float) -> float:
        """Give a value of this unit in SI base units."""
        return value * self.factor + self.zero


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit | None:
    """Read a unit; None when it is not understood.

    Examples
    --------
    >>> parse_unit("mg/ml")
    Unit(factor=1.0, dimension='[length]^-3 [mass]^1', zero=0.0)
    >>> parse_unit("ph/s/mm2").dimension
    '[count]^1 [length]^-2 [time]^-1'
    >>> parse_unit("°C").si(20)
    293.15
    >>> parse_unit("W/m K"), parse_unit("furlong")
    (None, None)
    """
    if len(text) > _LONGEST:
        return None
    plain = unicodedata.normalize("NFKC", text).translate(_SPELLED).strip()
    found = UNITS.get(plain or "1")
    if found is not None:
        return _unit(found)
    try:
        reader = _Reader(plain)
        read = reader.unit()
    except _NotUnderstoodError:
        return None
    return None if reader.beside_ampere else _unit(read)


def _unit(base: Base) -> Unit | None:
    powers = sorted((name, power) for name, power in base.dimension.items() if power)
    dimension = " ".join(f"[{name}]^{power}" for name, power in powers) or "1"
    try:
        factor = float(base.factor)
    except OverflowError:
        return None
    return Unit(factor, dimension, float(base.zero)) if factor else None


class _NotUnderstoodError(Exception):
    pass


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0
        self._angstrom = False
        self._others: set[str] = set()

    @property
    def beside_ampere(self) -> bool:
        """Whether an ``A`` stands beside what makes it an ampere as well."""
        return self._angstrom and not self._others <= _BESIDE_ANGSTROM

    def unit(self) -> Base:
        """Read all of it."""
        read = self._quotient()
        if self._next < len(self._tokens):
            raise _NotUnderstoodError
        return read

    def _quotient(self) -> Base:
        read = self._product()
        while self._take("/"):
            read = _times(read, _raised(self._power(), -1))
            if self._kind() in ("symbol", "*", ".", "("):
                raise _NotUnderstoodError
        return read

    def _product(self) -> Base:
        read = self._power()
        while True:
            signed = self._take("*") or self._take(".")
            if not signed and self._kind() not in ("symbol", "("):
                return read
            read = _times(read, self._power())

    def _power(self) -> Base:
        plain = False
        if self._take("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _NotUnderstoodError
            read = self._quotient()
            self._depth -= 1
            if not self._take(")"):
                raise _NotUnderstoodError
        else:
            if self._kind() != "symbol":
                raise _NotUnderstoodError
            symbol = self._tokens[self._next][1]
            self._next += 1
            plain = symbol == "1"
            read = self._symbol(symbol)
        if self._kind() == "power":
            if plain:
                raise _NotUnderstoodError
            read = _raised(read, int(self._tokens[self._next][1]))
            self._next += 1
        return read

    def _symbol(self, symbol: str) -> Base:
        if symbol == "A":
            self._angstrom = True
            return _ANGSTROM
        found = UNITS.get(symbol)
        if found is None:
            raise _NotUnderstoodError
        self._others |= set(found.dimension)
        return found

    def _kind(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _take(self, sign: str) -> bool:
        if self._kind() != sign:
            return False
        self._next += 1
        return True


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _NotUnderstoodError
        if match["symbol"]:
            yield "symbol", match["symbol"]
        elif match["power"]:
            # A bare power stands close to its symbol, as in nm-1.
            if match["bare"] and match.start("power") != at:
                raise _NotUnderstoodError
            yield "power", match["held"] or match["raised"] or match["bare"]
        else:
            yield match["sign"], match["sign"]
        at = match.end()


def _times(one: Base, other: Base) -> Base:
    powers = dict(one.dimension)
    for name, power in other.dimension.items():
        powers[name] = powers.get(name, 0) + power
    return Base(one.factor * other.factor, powers)


def _raised(base: Base, power: int) -> Base:
    powers = {name: each * power for name, each in base.dimension.items()}
    return Base(Fraction(base.factor) ** power, powers)
