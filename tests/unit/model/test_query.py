"""Conditions: read from text."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import InvalidQueryError
from hsc.model import Condition, Quantity


@pytest.mark.parametrize(
    ("text", "name", "comparison", "value", "unit"),
    [
        ("photon_energy > 12 keV", "photon_energy", ">", 12.0, "keV"),
        ("photon_energy>=12.4keV", "photon_energy", ">=", 12.4, "keV"),
        ("  wavelength  ==  1e-10  m  ", "wavelength", "=", 1e-10, "m"),
        ("frames = 300", "frames", "=", 300.0, "1"),
        ("a.b_c < -.5 1/nm", "a.b_c", "<", -0.5, "1/nm"),
        ("t <= +2. °C", "t", "<=", 2.0, "°C"),
    ],
)
def test_a_condition_is_read(
    text: str, name: str, comparison: str, value: float, unit: str
) -> None:
    condition = Condition.parse(text)
    assert (condition.name, condition.comparison) == (name, comparison)
    assert condition.bound == Quantity(value=value, unit=unit)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "photon_energy",
        "> 12 keV",
        "a ! 1",
        "a > keV",
        "1a > 1",
        "a > 1 furlong",
        "a > 1e999",
        "é=1",
    ],
)
def test_what_is_no_condition_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(InvalidQueryError) as caught:
        Condition.parse(text)
    assert repr(text) in caught.value.message
    assert caught.value.next_step


@given(
    name=st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,8}", fullmatch=True),
    comparison=st.sampled_from(["<", "<=", "=", ">=", ">"]),
    value=st.floats(-1e300, 1e300),
    unit=st.sampled_from(["nm", "K", "mm", "1"]),
)
def test_a_condition_survives_its_text(name: str, comparison: str, value: float, unit: str) -> None:
    condition = Condition.parse(f"{name} {comparison} {value!r} {unit}")
    assert (condition.name, condition.comparison) == (name, comparison)
    assert condition.bound == Quantity(value=value, unit=unit)


@given(st.text(max_size=20))
def test_any_text_is_a_condition_or_a_typed_error(text: str) -> None:
    with suppress(InvalidQueryError):
        assert Condition.parse(text).name in text
