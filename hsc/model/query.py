"""Query: what to search a catalog for."""

from __future__ import annotations

import math
import re
from typing import Literal, cast

from pydantic import Field

from hsc.errors import InvalidQueryError
from hsc.model.dataset import Dataset
from hsc.model.limits import Name, Text
from hsc.model.quantity import Quantity
from hsc.model.wire import Record

Comparison = Literal["<", "<=", "=", ">=", ">"]

_CONDITION = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|\"(?P<quoted>[^\"]+)\")\s*(?P<op><=|>=|==|=|<|>)\s*"
    r"(?P<value>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<unit>[^\s].*?)?\s*"
)

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


class Condition(Record):
    """A bound on one quantity."""

    name: Text
    """The quantity's name, as in ``photon_energy``."""
    comparison: Comparison
    """How the dataset's value must stand to the bound."""
    bound: Quantity
    """The bound, with its unit."""

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition such as ``photon_energy > 12 keV``.

        A name with blanks or other signs stands in double quotes. A unit in double quotes may be an
        unknown one, which compares with itself alone.

        Raises
        ------
        InvalidQueryError
            The text is no condition, or its unit is unknown.

        Examples
        --------
        >>> Condition.parse("photon_energy >= 12.4 keV").bound
        Quantity(value=12.4, unit='keV')
        >>> str(Condition.parse('"photon energy" > 12 keV'))
        '"photon energy" > 12.0 "keV"'
        """
        match = _CONDITION.fullmatch(text)
        if match is None:
            raise InvalidQueryError(
                f"{text!r} is no condition",
                next_step="write NAME, one of < <= = >= >, a number and its unit: "
                "--where 'photon_energy > 12 keV'; a name with blanks in double quotes",
            )
        comparison = cast("Comparison", "=" if match["op"] == "==" else match["op"])
        value = float(match["value"])
        if not math.isfinite(value):
            raise InvalidQueryError(
                f"{match['value']} in {text!r} is too large for a number",
                next_step="write a smaller bound, or a larger unit",
            )
        name, unit = match["name"] or match["quoted"], match["unit"] or "1"
        quoted = len(unit) > 2 and unit[0] == unit[-1] == '"'
        bound = Quantity(value=value, unit=unit[1:-1] if quoted else unit)
        if bound.si() is None and not quoted:
            raise InvalidQueryError(
                f"unknown unit {bound.unit!r} in {text!r}",
                next_step="use a unit such as keV, nm, angstrom, mm, s, K or 1/nm, or quote one "
                f'that stands so in the files: {name} {comparison} 1 "{bound.unit}"',
            )
        return cls(name=name, comparison=comparison, bound=bound)

    def __str__(self) -> str:
        """Word it so that `parse` reads the same again, whatever its name and unit are."""
        plain = _PLAIN.fullmatch(self.name) is not None
        name = self.name if plain else f'"{self.name}"'
        return f'{name} {self.comparison} {self.bound.value!r} "{self.bound.unit}"'


class Query(Record):
    """What to search for; an empty query finds everything visible."""

    text: Text = ""
    """Words that must all occur in title, sample, proposal, instrument, keywords or PID."""
    facility: Text | None = None
    """Only this facility."""
    instrument: Text | None = None
    """Only this instrument."""
    proposal: Text | None = None
    """Only this proposal."""
    technique: Text | None = None
    """Only this technique, by any of its names or its term, and what is a kind of it."""
    sample: Text | None = None
    """Only this sample."""
    keyword: Text | None = None
    """Only what has this keyword."""
    kind: Text | None = None
    """Only this kind: raw, derived, calibration, simulation or reference."""
    where: tuple[Condition, ...] = Field(default=(), max_length=64)
    """Bounds that must all hold."""
    limit: int = Field(default=25, le=10_000)
    """At most this many datasets in the answer; the total counts all."""
    cursor: Name | None = None
    """Where to go on: the ``next`` of the result before, of the same question; None: the first."""
    sort: Literal["newest"] = "newest"
    """In which order."""


class SearchResult(Record):
    """What a search found."""

    total: int
    """How many datasets match."""
    datasets: tuple[Dataset, ...]
    """The newest of them, newest first."""
    next: str | None = None
    """What to give as ``cursor`` for those that follow; None: these are the last."""
