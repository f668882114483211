"""Numbers as people read them."""

from __future__ import annotations

import math


def number(value: float, figures: int = 4) -> str:
    """Spell a number with so many significant figures.

    Examples
    --------
    >>> number(2.47871, 3), number(1234567.0), number(0.00001234, 2)
    ('2.48', '1.235e+06', '1.2e-05')
    """
    return f"{float(value):.{figures}g}"


def plus_minus(value: float, error: float | None) -> str:
    """Spell a number with its error, both to the error's second figure.

    Examples
    --------
    >>> plus_minus(2.47871, 0.00432), plus_minus(61.3093, 12.0), plus_minus(2.5, None)
    ('2.4787 ± 0.0043', '61 ± 12', '2.5')
    >>> plus_minus(172345.0, 1200.0), plus_minus(0.00001234, 0.0000021)
    ('172300 ± 1200', '1.23e-05 ± 2.1e-06')
    """
    if error is None or not math.isfinite(error) or error <= 0:
        return number(value)
    digits = 1 - math.floor(math.log10(error))
    if digits > 6:
        figures = max(2, digits + 1 + math.floor(math.log10(abs(value) or error)))
        return f"{value:.{figures - 1}e} ± {error:.1e}"
    if digits < 0:
        return f"{round(value, digits):.0f} ± {round(error, digits):.0f}"
    return f"{value:.{digits}f} ± {error:.{digits}f}"
