"""Curve and results as sasCIF, in the terms that SASBDB writes and reads.

sasCIF: M. Malfois and D. I. Svergun, J. Appl. Cryst. 33 (2000) 812; extended for SASBDB by
M. Kachala, J. Westbrook and D. Svergun, J. Appl. Cryst. 49 (2016) 302; dictionary mmcif_sas.dic
0.6 of the wwPDB. That dictionary itself was not to be had when this was written. Names, units and
links are those of an entry that SASBDB wrote itself (SASDA32), which a test holds them against;
``_sas_sample.details`` is of SASBDB's sasCIFtools, ``intensity_units`` and ``calibration_factor``
of ``_sas_scan`` are of Scatter. q is in 1/nm, lengths in nm, pixels in mm, the camera in m, masses
in kDa, volumes in nm³, concentrations in g/L, as there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.biosaxs.analysis import Analysis
from hsc.reductions.biosaxs.chain import Chain
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.pairs import PairDistances
from hsc.reductions.biosaxs.reports.facts import ReportFacts

_DICTIONARY = {
    "dict_name": "mmcif_sas.dic",
    "dict_version": "0.6",
    "dict_location": "http://mmcif.wwpdb.org/dictionaries/ascii/mmcif_sas.dic",
}
_PLAIN = re.compile(r"[^\s'\"_#$;\[\]][^\s'\"]*\Z")
_RESERVED = ("data_", "save_", "loop_", "global_", "stop_")

Value = str | float | int | None
"""A value of sasCIF; None: unknown."""


def write_sascif(chain: Chain, facts: ReportFacts) -> bytes:
    """Write the subtracted curve, p(r) and the numbers as sasCIF.

    What is not known is ``?``. The block is ``data_MAIN``: SASBDB puts its code before that.
    """
    analysis, curve = chain.analysis, chain.curve
    geometry = chain.sample.runs[0].stack.binning.geometry
    parts = [
        "data_MAIN",
        _items("audit_conform", _DICTIONARY),
        _items("sas_beam", {
            "id": 1, "instrument_name": facts.labels.instrument,
            "radiation_wavelength": float(f"{geometry.wavelength_m * 1e9:.12g}"),
            "dist_spec_to_detc": geometry.distance_m,
        }),
        _items("sas_detc", {
            "id": 1, "name": geometry.detector_name,
            "pixsize_x": float(f"{geometry.x_pixel_size_m * 1e3:.9g}"),
        }),
        _items("sas_sample", {
            "id": 1, "name": facts.labels.sample_name,
            "specimen_concentration": facts.labels.met_concentration_g_per_l,
            "specific_vol": facts.parameter("partial_specific_volume_cm3_per_g"),
            "details": _told(facts),
        }),
        _items("sas_buffer", {"id": 1, "sample_id": 1, "name": None}),
        _items("sas_scan", _scan(chain)),
        _items("sas_result", _results(analysis)),
    ]  # fmt: skip
    if analysis.pairs is not None:
        parts += _pairs(analysis.pairs, curve, facts)
    points = np.arange(1, len(curve.q_per_nm) + 1)
    parts.append(
        _loop("sas_scan_intensity", {
            "id": points, "scan_id": np.ones_like(points),
            "momentum_transfer": curve.q_per_nm, "intensity": curve.intensity,
            "intensity_su_counting": curve.error,
        })
    )  # fmt: skip
    text = "\n#\n".join(parts) + "\n"
    return text.encode("ascii", "xmlcharrefreplace")


def _scan(chain: Chain) -> dict[str, Value]:
    curve, sample = chain.curve, chain.sample
    return {
        "id": 1,
        "sample_id": 1,
        "beam_id": 1,
        "detc_id": 1,
        "result_id": 1,
        "title": "sample less buffer",
        "unit": "1/nm",
        "intensity_units": "1/cm" if chain.scale is not None else "arbitrary",
        "calibration_factor": None if chain.scale is None else chain.scale.factor,
        "qmin": float(curve.q_per_nm[0]),
        "qmax": float(curve.q_per_nm[-1]),
        "exposure_time": sample.runs[0].exposure_s,
        "number_of_frames": sample.frames_kept,
        "cell_temperature": None,
        "storage_temperature": None,
        "measurement_date": None,
    }


def _results(analysis: Analysis) -> dict[str, Value]:
    guinier, pairs, found = analysis.guinier, analysis.pairs, analysis.invariants
    masses = {one.method: one for one in analysis.masses}
    porod, absolute = masses.get("porod_volume"), masses.get("absolute_intensity")
    return {
        "id": 1,
        "Rg_from_Guinier": guinier.rg_nm,
        "Rg_from_Guinier_error": guinier.rg_error_nm,
        "I0_from_Guinier": guinier.i0,
        "I0_from_Guinier_error": guinier.i0_error,
        "Guinier_point_min": guinier.start + 1,
        "Guinier_point_max": guinier.stop,
        "Rg_from_PR": None if pairs is None else pairs.rg_nm,
        "Rg_from_PR_error": None if pairs is None else pairs.rg_error_nm,
        "I0_from_PR": None if pairs is None else pairs.i0,
        "I0_from_PR_error": None if pairs is None else pairs.i0_error,
        "D_max": None if pairs is None else pairs.dmax_nm,
        "Dmax_error": None if pairs is None else pairs.dmax_error_nm,
        "Porod_volume": found.porod_volume_nm3,
        "Porod_volume_error": found.porod_volume_error_nm3,
        "MW_Porod": None if porod is None else porod.kda,
        "MW_Porod_error": None if porod is None else porod.error_kda,
        "MW_standard": None if absolute is None else absolute.kda,
        "MW_standard_error": None if absolute is None else absolute.error_kda,
        "experimental_MW": None,
        "experimental_MW_error": None,
    }


def _pairs(pairs: PairDistances, curve: Curve, facts: ReportFacts) -> list[str]:
    used = np.flatnonzero(np.isin(curve.q_per_nm, pairs.q_per_nm))
    program = f"freesas {facts.software.get('freesas', '')}".strip()
    distances = np.arange(1, len(pairs.r_nm) + 1)
    points = np.arange(1, len(pairs.q_per_nm) + 1)
    return [
        _items("sas_p_of_R_details", {
            "id": 1, "intensity_id": 1, "software_p_of_R": program,
            "number_of_points": len(pairs.q_per_nm),
            "qmin": float(pairs.q_per_nm[0]), "qmax": float(pairs.q_per_nm[-1]),
            "p_of_R_point_min": int(used[0]) + 1, "p_of_R_point_max": int(used[-1]) + 1,
            "Rmin": float(pairs.r_nm[0]), "Rmax": float(pairs.r_nm[-1]),
        }),
        _loop("sas_p_of_R", {
            "id": np.ones_like(distances), "ordinal": distances,
            "r": pairs.r_nm, "P": pairs.p, "P_error": pairs.p_error,
        }),
        _loop("sas_p_of_R_extrapolated_intensity", {
            "id": np.ones_like(points), "ordinal": points,
            "momentum_transfer": pairs.q_per_nm, "intensity_reg": pairs.intensity,
        }),
    ]  # fmt: skip


def _told(facts: ReportFacts) -> str:
    inputs = "; ".join(f"{one.role} {one.pid}" for one in facts.inputs)
    told = f"made by {facts.program}, of {inputs}" if inputs else f"made by {facts.program}"
    loaded = facts.labels.concentration_g_per_l
    if loaded is None or facts.labels.met_concentration_g_per_l is not None:
        return told
    return f"{told}; eluted from a column that was loaded with {loaded:.6g} g/L"


def _items(category: str, items: Mapping[str, Value]) -> str:
    width = max(len(name) for name in items) + len(category) + 3
    lines = [f"{f'_{category}.{name}':<{width}} {_spell(value)}" for name, value in items.items()]
    return "\n".join(lines)


def _loop(category: str, columns: Mapping[str, NDArray[np.generic]]) -> str:
    spelled: list[Sequence[str]] = [
        [str(value) for value in column.tolist()]
        if column.dtype.kind == "i"
        else [f"{value:.9e}" for value in column.tolist()]
        for column in columns.values()
    ]
    names = [f"_{category}.{name}" for name in columns]
    rows = [" ".join(row) for row in zip(*spelled, strict=True)]
    return "\n".join(["loop_", *names, *rows])


def _spell(value: Value) -> str:
    """Spell a value; text is one line, for a line of its own could end a block of text."""
    if value is None:
        return "?"
    if isinstance(value, int | float):
        return f"{value:.10g}"
    text = " ".join(value.split())
    if text == "":
        return "?"
    if _PLAIN.match(text) and text not in {"?", "."} and not text.lower().startswith(_RESERVED):
        return text
    if "' " not in text and not text.endswith("'"):
        return f"'{text}'"
    if '" ' not in text and not text.endswith('"'):
        return f'"{text}"'
    return f"\n;{text}\n;"
