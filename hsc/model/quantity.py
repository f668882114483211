"""Quantities: a number with the unit it was given in, and its SI value beside it."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from hsc.model.limits import UNIT_CHARACTERS
from hsc.model.units import parse_unit
from hsc.model.wire import Record


def _number(value: Any) -> Any:
    if isinstance(value, bool):  # pydantic would take true for 1
        raise ValueError("true and false are no numbers")  # noqa: TRY004  pydantic words these
    return value


class Quantity(Record):
    """A number with its unit, exactly as it was given.

    Examples
    --------
    >>> Quantity(value=12.0, unit="keV").si()
    (1.92...e-15, '[length]^2 [mass]^1 [time]^-2')
    >>> Quantity(value=3.0, unit="furlong").si() is None
    True
    >>> Quantity(value=3.0, unit="furlong").comparable()
    (3.0, 'unknown:furlong')
    """

    value: Annotated[float, BeforeValidator(_number)]
    """The number, in ``unit``."""
    unit: Annotated[str, Field(max_length=UNIT_CHARACTERS)]
    """The unit's symbol as given; ``1`` for a plain number."""

    def si(self) -> tuple[float, str] | None:
        """Give value and dimension in SI base units; None when the unit is not known."""
        return _si(self.value, self.unit)

    def comparable(self) -> tuple[float, str]:
        """Give value and dimension to compare by: in SI, or as given where the unit is not known.

        An unknown unit is a dimension of its own, ``unknown:<unit>``, which only the same text has.
        """
        return comparable(self.value, self.unit)


def comparable(value: float, unit: str) -> tuple[float, str]:
    """Give value and dimension to compare by, as `Quantity.comparable`, of a number with its unit.

    Examples
    --------
    >>> comparable(3.0, "furlong")
    (3.0, 'unknown:furlong')
    """
    return _si(value, unit) or (value, f"unknown:{unit.strip()}")


def _si(value: float, unit: str) -> tuple[float, str] | None:
    known = parse_unit(unit)
    if known is None:
        return None
    si = known.si(value)
    return (si, known.dimension) if math.isfinite(si) else None
