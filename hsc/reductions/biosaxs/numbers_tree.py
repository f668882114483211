"""How the analysis of a curve is laid out: plots as NXdata, numbers beside them."""

from __future__ import annotations

import numpy as np

from hsc.reductions import nexus
from hsc.reductions.biosaxs.analysis import Analysis
from hsc.reductions.biosaxs.entries import Part, join_parts
from hsc.reductions.biosaxs.estimates import GuinierEstimate
from hsc.reductions.biosaxs.guinier import GuinierFit
from hsc.reductions.biosaxs.pairs import PairDistances
from hsc.store import NewArray


def analysis_part(path: str, analysis: Analysis, prefix: str = "") -> Part:
    """Write fits, volumes, masses, Kratky plot and p(r) below a group.

    Parameters
    ----------
    path
        The group.
    analysis
        What there is.
    prefix
        What dimension names begin with, where a tree holds several analyses.
    """
    parts = [
        _guinier(f"{path}/guinier", analysis, prefix),
        _estimates(f"{path}/guinier_estimates", analysis),
        _kratky(f"{path}/kratky", analysis, prefix),
        _invariants(f"{path}/invariants", analysis),
    ]
    if analysis.pairs is not None:
        parts.append(_pairs(f"{path}/pr", analysis.pairs, analysis.intensity_unit, prefix))
    if analysis.failures:
        failures = [
            nexus.scalar(f"{path}/failures/{name}", why) for name, why in analysis.failures.items()
        ]
        parts.append(([nexus.group(f"{path}/failures", "NXcollection")], failures))
    return join_parts(parts)


def _guinier(path: str, analysis: Analysis, prefix: str) -> Part:
    """Write the points and the line of the estimate that counts."""
    chosen, curve = analysis.guinier, analysis.curve
    used = np.zeros(len(curve.q_per_nm), dtype=np.bool_)
    used[chosen.start : chosen.stop] = True
    used &= (curve.intensity > 0) & (curve.error > 0)
    some = curve.at(used)
    log = np.log(some.intensity)
    line = np.log(chosen.i0) - (chosen.rg_nm * some.q_per_nm) ** 2 / 3
    error = some.error / some.intensity
    dims = (f"{prefix}q_squared",)
    group = nexus.group(
        path, "NXdata", signal="ln_intensity", auxiliary_signals=["line"], axes=["q_squared"],
        q_squared_indices=[0],
        reference="A. Guinier and G. Fournet, Small-Angle Scattering of X-Rays, Wiley 1955",
    )  # fmt: skip
    arrays = [
        nexus.array(f"{path}/q_squared", some.q_per_nm**2, dims, "1/nm^2"),
        nexus.array(f"{path}/ln_intensity", log, dims, "1"),
        nexus.array(f"{path}/ln_intensity_errors", error, dims, "1"),
        nexus.array(f"{path}/line", line, dims, "1"),
        nexus.array(
            f"{path}/residuals", (log - line) / error, dims, "1", long_name="(ln I - line) / σ"
        ),
        nexus.scalar(f"{path}/points", int(used.sum())),
    ]
    groups, numbers = _estimate(path, chosen, analysis.intensity_unit)
    return [group, *groups[1:]], arrays + numbers + _chi2(path, analysis.fit, chosen)


def _chi2(path: str, fit: GuinierFit | None, chosen: GuinierEstimate) -> list[NewArray]:
    if fit is None or chosen.method != "closed_form":
        return []
    return [nexus.scalar(f"{path}/chi2", fit.chi2, "1")]


def _estimates(path: str, analysis: Analysis) -> Part:
    parts: list[Part] = [([nexus.group(path, "NXcollection")], [])]
    parts += [
        _estimate(f"{path}/{one.method}", one, analysis.intensity_unit)
        for one in analysis.estimates
    ]
    return join_parts(parts)


def _estimate(path: str, one: GuinierEstimate, unit: str) -> Part:
    arrays = [
        nexus.scalar(f"{path}/method", one.method),
        nexus.scalar(f"{path}/rg", one.rg_nm, "nm"),
        nexus.scalar(f"{path}/rg_error", one.rg_error_nm, "nm"),
        nexus.scalar(f"{path}/i0", one.i0, unit),
        nexus.scalar(f"{path}/i0_error", one.i0_error, unit),
        nexus.scalar(f"{path}/q_min", one.q_min_per_nm, "1/nm"),
        nexus.scalar(f"{path}/q_max", one.q_max_per_nm, "1/nm"),
        nexus.scalar(f"{path}/start", one.start),
        nexus.scalar(f"{path}/stop", one.stop),
    ]
    if one.quality is not None:
        arrays.append(nexus.scalar(f"{path}/quality", one.quality, "1"))
    if one.aggregated is not None:
        arrays.append(nexus.scalar(f"{path}/aggregated", one.aggregated, "1"))
    return [nexus.group(path, "NXcollection")], arrays


def _kratky(path: str, analysis: Analysis, prefix: str) -> Part:
    kratky = analysis.kratky
    dims = (f"{prefix}qrg",)
    group = nexus.group(path, "NXdata", signal="kratky", axes=["qrg"], qrg_indices=[0])
    return [group], [
        nexus.array(f"{path}/qrg", kratky.qrg, dims, "1", long_name="q Rg"),
        nexus.array(f"{path}/kratky", kratky.value, dims, "1", long_name="(q Rg)² I / I0"),
        nexus.array(f"{path}/kratky_errors", kratky.error, dims, "1"),
    ]


def _invariants(path: str, analysis: Analysis) -> Part:
    found = analysis.invariants
    arrays = [
        nexus.scalar(f"{path}/porod_q_max", found.porod_q_max_per_nm, "1/nm"),
        nexus.scalar(f"{path}/vc_q_max", found.vc_q_max_per_nm, "1/nm"),
    ]
    for name, value, unit in (
        ("porod_volume", found.porod_volume_nm3, "nm^3"),
        ("porod_volume_error", found.porod_volume_error_nm3, "nm^3"),
        ("vc", found.vc_nm2, "nm^2"),
        ("vc_error", found.vc_error_nm2, "nm^2"),
        ("qr", found.qr_nm3, "nm^3"),
        ("qr_error", found.qr_error_nm3, "nm^3"),
    ):
        if value is not None:
            arrays.append(nexus.scalar(f"{path}/{name}", value, unit))
    for mass in analysis.masses:
        arrays.append(nexus.scalar(f"{path}/mass_{mass.method}", mass.kda, "kDa"))
        arrays.append(nexus.scalar(f"{path}/mass_{mass.method}_error", mass.error_kda, "kDa"))
    return [nexus.group(path, "NXcollection")], arrays


def _pairs(path: str, pairs: PairDistances, unit: str, prefix: str) -> Part:
    dims, q_dims = (f"{prefix}r",), (f"{prefix}pr_q",)
    fit = f"{path}_fit"
    groups = [
        nexus.group(
            path, "NXdata", signal="p", axes=["r"], r_indices=[0],
            reference="S. Hansen, J. Appl. Cryst. 33 (2000) 1415",
        ),
        nexus.group(fit, "NXdata", signal="I", axes=["Q"], Q_indices=[0]),
    ]  # fmt: skip
    arrays = [
        nexus.array(f"{path}/r", pairs.r_nm, dims, "nm"),
        nexus.array(f"{path}/p", pairs.p, dims, long_name="p(r)"),
        nexus.array(f"{path}/p_errors", pairs.p_error, dims),
        nexus.array(f"{fit}/Q", pairs.q_per_nm, q_dims, "1/nm"),
        nexus.array(f"{fit}/I", pairs.intensity, q_dims, unit, long_name="intensity of p(r)"),
        nexus.scalar(f"{path}/dmax", pairs.dmax_nm, "nm"),
        nexus.scalar(f"{path}/dmax_error", pairs.dmax_error_nm, "nm"),
        nexus.scalar(f"{path}/rg", pairs.rg_nm, "nm"),
        nexus.scalar(f"{path}/rg_error", pairs.rg_error_nm, "nm"),
        nexus.scalar(f"{path}/i0", pairs.i0, unit),
        nexus.scalar(f"{path}/i0_error", pairs.i0_error, unit),
        nexus.scalar(f"{path}/chi2", pairs.chi2, "1"),
        nexus.scalar(f"{path}/evidence", pairs.evidence, "1"),
        nexus.scalar(f"{path}/alpha", pairs.alpha, "1"),
        nexus.scalar(f"{path}/seed", pairs.seed),
    ]
    return groups, arrays
