"""Units: every symbol means what pint means by it, whatever else is written is left alone."""

from __future__ import annotations

import math
import unicodedata

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.model import Quantity
from hsc.model.unit_table import UNITS, Base
from hsc.model.units import parse_unit

# What pint reads as something else, or not at all: the reason why no text of a file reaches it.
OURS = {
    "%", "percent", "wt%", "w%", "mol%", "vol%", "at%", "‰", "unitless", "1", "ang", "Angstrom",
    "Angstroms", "sec", "msec", "Th", "mdeg", "rpm", "cps", "px", "pixel", "pixels", "ct", "cts",
    "ph", "photon", "photons", "e-", "electron", "electrons", "neutron", "neutrons", "event",
    "events", "hit", "hits", "pulse", "pulses", "shot", "shots", "frame", "frames", "train",
    "trains", "particles", "count", "counts", "ADU", "adu", "Sv", "Bq", "h", "d", "G", "u", "Gauss",
    "ΔK", "delta_K", "Celsius", "Degree", "Degrees", "°F", "degF", "barn", "Torr", "ppb", "gauss",
} | {each for each, base in UNITS.items() if "arbitrary" in base.dimension}  # fmt: skip

# The dalton is measured: the tables of 2018 and 2022 differ by 1.4e-9.
_PINT = pint.UnitRegistry()
_PINT_NAMES = {
    "[length]": "length", "[mass]": "mass", "[time]": "time", "[current]": "current",
    "[temperature]": "temperature", "[substance]": "substance", "[luminosity]": "luminosity",
}  # fmt: skip

symbols = st.sampled_from(sorted(UNITS))
joinable = st.sampled_from(sorted(s for s in UNITS if s.isalpha() and s.isascii() and s != "e"))


def test_every_symbol_means_what_pint_means_by_it() -> None:
    compared = {symbol: base for symbol, base in UNITS.items() if symbol not in OURS}
    assert len(compared) > 300
    assert [symbol for symbol, base in compared.items() if not _as_pint_has_it(symbol, base)] == []


def _as_pint_has_it(symbol: str, base: Base) -> bool:
    theirs = _PINT.Quantity(1.0, _PINT.Unit(symbol))
    dimension = {_PINT_NAMES[name]: power for name, power in theirs.dimensionality.items()}
    if "temperature_difference" in base.dimension:
        dimension = {"temperature_difference": dimension["temperature"]}
    physical = {name: power for name, power in base.dimension.items() if name != "angle"}
    same = base.zero or math.isclose(base.factor, theirs.to_base_units().magnitude, rel_tol=1e-8)
    return bool(physical == dimension and same)


@given(symbols, st.floats(-1e30, 1e30))
def test_a_quantity_survives_the_way_to_si_and_back(symbol: str, value: float) -> None:
    unit = parse_unit(symbol)
    assert unit is not None
    si = Quantity(value=value, unit=symbol).si()
    assert si == (unit.si(value), unit.dimension)
    back = (si[0] - unit.zero) / unit.factor
    assert back == pytest.approx(value, rel=1e-12, abs=1e-9 * max(1, abs(unit.zero)))


@given(
    joinable, st.integers(2, 9), st.sampled_from(["{}^{}", "{}{}", "{}**{}", "{}^({})", "{}^+{}"])
)
def test_powers_are_read_in_every_spelling(symbol: str, power: int, spelling: str) -> None:
    once, raised = parse_unit(symbol), parse_unit(spelling.format(symbol, power))
    inverse = parse_unit(f"1/{symbol}{power}")
    if raised is None or inverse is None:  # beyond the range of floats
        return
    assert once is not None
    assert raised.factor == pytest.approx(once.factor**power, rel=1e-9)
    assert inverse == parse_unit(f"{symbol}-{power}")
    assert inverse.factor * raised.factor == pytest.approx(1, rel=1e-9)


@given(joinable, joinable)
def test_products_and_quotients_multiply(one: str, other: str) -> None:
    first, second, ratio = parse_unit(one), parse_unit(other), parse_unit(f"{one}/{other}")
    assert first is not None
    assert second is not None
    assert ratio is not None
    assert ratio.factor == pytest.approx(first.factor / second.factor, rel=1e-12)
    product = parse_unit(f"{one} {other}")
    assert product == parse_unit(f"{one}*{other}") == parse_unit(f"{one}·{other}")
    assert product == parse_unit(f"{one}/({other}^-1)")


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("text", ["Å", "Å⁻¹", "µm", "1/µs", "m²", "°C", "\u212b", "\u2103"])
def test_unicode_has_no_say(text: str, form: str) -> None:
    again = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert parse_unit(again) == parse_unit(text)
    assert parse_unit(text) is not None


@pytest.mark.parametrize(
    ("text", "factor", "dimension"),
    [
        ("ph/s/mm2", 1e6, "[count]^1 [length]^-2 [time]^-1"),
        ("kg m^-3", 1, "[length]^-3 [mass]^1"),
        ("W/m^2", 1, "[mass]^1 [time]^-3"),
        ("W/(m K)", 1, "[length]^1 [mass]^1 [temperature]^-1 [time]^-3"),
        ("e-/Å^2", 1e20, "[count]^1 [length]^-2"),
        ("e-/A^2", 1e20, "[count]^1 [length]^-2"),
        ("1/A", 1e10, "[length]^-1"),
        ("mA", 1e-3, "[current]^1"),
        ("wt%", 0.01, "1"),
        ("cm^-1 sr^-1", 100, "[angle]^-2 [length]^-1"),
        ("W/(m °C)", 1, "[length]^1 [mass]^1 [temperature]^-1 [time]^-3"),
    ],
)
def test_what_laboratories_write_is_read(text: str, factor: float, dimension: str) -> None:
    unit = parse_unit(text)
    assert unit is not None
    assert (unit.factor, unit.dimension) == (pytest.approx(factor), dimension)
    assert unit.zero == 0


@pytest.mark.parametrize(
    "text",
    ["A/m", "A m^2", "mA/A", "W/m K", "J/kg*K", "m^10", "m^0", "m 2", "((((m))))", "m" * 65,
     "2theta", "m/z", "1e3 m", "-1", "/s", "m/", "()", "ppt", "__import__('os')", "m\x00"],
)  # fmt: skip
def test_what_two_people_read_two_ways_is_not_understood(text: str) -> None:
    assert parse_unit(text) is None
    assert Quantity(value=2.0, unit=text).comparable() == (2.0, f"unknown:{text}")


@given(st.text(st.sampled_from("mskgAKÅ°C%/()^*. 123-e"), max_size=20) | st.text(max_size=70))
def test_any_text_is_a_unit_or_none(text: str) -> None:
    unit = parse_unit(text)
    assert unit is None or (math.isfinite(unit.factor) and unit.factor > 0)
