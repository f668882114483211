"""A spectrum as text: keywords, then columns by falling wavelength, as data banks of CD take it.

The columns are those of the Protein Circular Dichroism Data Bank's files (L. Whitmore and others,
Nucleic Acids Res. 39, D480 (2011)), with errors beside: wavelength, final, high tension, average of
the sample, of the baseline.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hsc.reductions.srcd.molar import UNITS
from hsc.reductions.srcd.tree import Curve
from hsc.reductions.units import worded

_ABSENT = "nan"


def text_file(
    curve: Curve, sample: str | None, parameters: Mapping[str, Any], formula: str
) -> bytes:
    """Word a spectrum; every number as short as it can be and still the same."""
    final = UNITS[curve.unit]
    keywords = {
        "SAMPLE": sample or "unknown",
        "SCANS OF THE SAMPLE": curve.sample.scans,
        "SCANS OF THE BASELINE": curve.baseline.scans if curve.baseline else 0,
        "UNITS OF FINAL": f"{curve.signal.replace('_', ' ')} ({final})",
        "FORMULA": formula,
        **{
            worded(name).upper().replace("_", " "): value
            for name, value in parameters.items()
            if value is not None
        },
    }
    lines = [f"{name:<40}{_plain(value)}" for name, value in keywords.items()]
    lines += ["", "DATA", "\t".join(_titles(final))]
    count = len(curve.wavelength_nm)
    nothing = np.full(count, np.nan)
    columns = (
        curve.wavelength_nm,
        curve.converted.values,
        curve.converted.errors,
        nothing if curve.ht_v is None else curve.ht_v,
        curve.sample.values,
        curve.sample.errors,
        nothing if curve.baseline is None else curve.baseline.values,
        nothing if curve.baseline is None else curve.baseline.errors,
    )
    for point in reversed(range(count)):
        numbers = [_number(float(column[point])) for column in columns]
        lines.append("\t".join([*numbers, str(int(curve.beyond[point]))]))
    return ("\n".join(lines) + "\n").encode()


def _titles(final: str) -> tuple[str, ...]:
    return (
        "Wavelength (nm)", f"Final ({final})", f"Final error ({final})", "HT (V)",
        "Avg. sample (mdeg)", "Avg. sample error (mdeg)", "Avg. baseline (mdeg)",
        "Avg. baseline error (mdeg)", "Beyond cut-off",
    )  # fmt: skip


def _number(value: float) -> str:
    return _ABSENT if np.isnan(value) else repr(value)


def _plain(value: Any) -> str:
    return " ".join(str(value).split())  # a keyword is one line
