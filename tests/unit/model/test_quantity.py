"""Quantities: what is converted, what is kept as it is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hsc.model import Quantity

# Exact by the SI's definition of 2019: 1 eV in J.
ELECTRON_VOLT_J = 1.602176634e-19


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (12.0, "keV", 12e3 * ELECTRON_VOLT_J),
        (1.0, "Å", 1e-10),
        (1.0, "A", 1e-10),
        (172.0, "µm", 172e-6),
        (20.0, "degC", 293.15),
        (180.0, "deg", math.pi),
        (2.0, "1/nm", 2e9),
        (5.0, "mg/ml", 5.0),
        (3.0, " mm ", 3e-3),
        (7.0, "1", 7.0),
        (7.0, "", 7.0),
    ],
)
def test_known_units_have_an_si_value(value: float, unit: str, expected: float) -> None:
    si = Quantity(value=value, unit=unit).si()
    assert si is not None
    assert si[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("keV", "J", True),
        ("Å", "mm", True),
        ("K", "°C", True),
        ("1/A", "1/cm", True),
        ("keV", "nm", False),
        ("s", "Hz", False),
        ("mA", "V", False),
        ("ph/s", "counts/s", True),
        ("ph/s", "Hz", False),
        ("counts", "1", False),
        ("px", "mm", False),
        ("deg", "rad", True),
        ("deg", "1", False),
        ("delta_degC", "K", False),
        ("a.u.", "1", False),
        ("%", "1", True),
    ],
)
def test_only_units_of_one_dimension_compare(one: str, other: str, same: bool) -> None:
    first, second = (Quantity(value=1.0, unit=unit).si() for unit in (one, other))
    assert first is not None
    assert second is not None
    assert (first[1] == second[1]) is same


@pytest.mark.parametrize("unit", ["furlong", "KEV", "1/0", "å", "C", "F", "W/m K", "10 m"])
def test_unknown_units_are_kept_not_guessed(unit: str) -> None:
    quantity = Quantity(value=1.0, unit=unit)
    assert quantity.si() is None
    assert quantity.unit == unit


@given(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8))
def test_any_finite_number_with_any_unit_is_kept_and_never_fails(value: float, unit: str) -> None:
    quantity = Quantity(value=value, unit=unit)
    assert (quantity.value, quantity.unit) == (value, unit)
    si = quantity.si()
    assert si is None or math.isfinite(si[0])


@pytest.mark.parametrize("value", [True, False])
def test_true_and_false_are_no_numbers(value: bool) -> None:
    with pytest.raises(ValidationError, match="no numbers"):
        Quantity(value=value, unit="keV")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ValidationError):
        Quantity(value=value, unit="m")
