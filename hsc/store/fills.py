"""Fill values: as Zarr v3 words them in JSON, every bit of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def word_fill(value: Any, dtype: str) -> Any:
    """Word a fill value.

    Parameters
    ----------
    value
        As a Python value.
    dtype
        Zarr's name of the element type.

    Examples
    --------
    >>> word_fill(float("-inf"), "float32"), word_fill(1.5 + 0j, "complex64")
    ('-Infinity', [1.5, 0.0])
    """
    if dtype.startswith("complex"):
        part = "float64" if dtype == "complex128" else "float32"
        return [word_fill(value.real, part), word_fill(value.imag, part)]
    if isinstance(value, float) and not math.isfinite(value):
        if not math.isnan(value):
            return "Infinity" if value > 0 else "-Infinity"
        bits, usual = (np.array(each, dtype).tobytes()[::-1].hex() for each in (value, np.nan))
        return "NaN" if bits == usual else f"0x{bits}"  # a NaN with a sign or payload of its own
    return bool(value) if dtype == "bool" else value


def read_fill(worded: Any, dtype: str) -> Any:
    """Give the fill value that JSON words; a NaN with all of its bits.

    Examples
    --------
    >>> read_fill("0x7fc00123", "float32").tobytes().hex()
    '2301c07f'
    """
    if dtype.startswith("complex"):
        part = "float64" if dtype == "complex128" else "float32"
        return np.array([read_fill(each, part) for each in worded], part).view(dtype)[0]
    if not isinstance(worded, str) or dtype == "string":
        return worded
    if worded.startswith("0x"):
        return np.frombuffer(bytes.fromhex(worded[2:])[::-1], dtype)[0]
    return float(worded)
