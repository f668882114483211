"""Numbers as people read them."""

from __future__ import annotations

import math

_FIGURES = 4


_NAMES = {"porod_volume": "Porod volume", "absolute_intensity": "I(0) on the absolute scale"}


def method_name(method: str) -> str:
    """Spell a way to find a number as people write it.

    Examples
    --------
    >>> method_name("porod_volume"), method_name("volume_of_correlation"), method_name("auto_gpa")
    ('Porod volume', 'volume of correlation', 'auto_gpa')
    """
    if method.startswith("auto"):
        return method
    return _NAMES.get(method, method.replace("_", " "))


def number(value: float, figures: int = 4) -> str:
    """Spell a number with so many significant figures.

    Examples
    --------
    >>> number(2.47871, 3), number(1234567.0), number(0.00001234, 2)
    ('2.48', '1.235e+06', '1.2e-05')
    """
    return f"{float(value):.{figures}g}"


def plus_minus(value: float, error: float | None) -> str:
    """Spell a number with its error, as far as people can make use of it.

    The error has one figure, or two where it begins with 1 or 2; the number ends where the error
    does, and has four figures at most, whatever its error says: that of counts alone is not all
    that is unknown. An error smaller than the last figure is rounded up to it.

    Examples
    --------
    >>> plus_minus(2.47871, 0.00432), plus_minus(61.3093, 12.0), plus_minus(2.5, None)
    ('2.479 ± 0.004', '61 ± 12', '2.5')
    >>> plus_minus(2.480808, 0.000062), plus_minus(70.83, 0.71)
    ('2.481 ± 0.001', '70.8 ± 0.7')
    >>> plus_minus(172345.0, 1200.0), plus_minus(0.00001234, 0.0000021)
    ('172300 ± 1200', '1.23e-05 ± 2.1e-06')
    """
    if error is None or not math.isfinite(error) or error <= 0 or not math.isfinite(value):
        return number(value)
    first = math.floor(math.log10(error))
    last = first - 1 if error < 3 * 10.0**first else first
    last = max(last, math.floor(math.log10(abs(value) or error)) - _FIGURES + 1)
    error = max(error, 10.0**last)
    if last < -6:
        figures = math.floor(math.log10(abs(value) or error)) - last
        return f"{value:.{max(0, figures)}e} ± {error:.1e}"
    if last > 0:
        return f"{round(value, -last):.0f} ± {round(error, -last):.0f}"
    return f"{value:.{-last}f} ± {error:.{-last}f}"
