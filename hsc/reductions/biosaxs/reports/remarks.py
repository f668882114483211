"""What a person should know before believing the numbers, in plain sentences."""

from __future__ import annotations

import math

from hsc.reductions.biosaxs.chain import Chain
from hsc.reductions.biosaxs.reports.wording import method_name, number, plus_minus

# 1.3 is customary (Trewhella et al. 2017); a twentieth more is left to a fit that ends one point
# later. From 0.8 on no more than half of the customary range in q is left.
_QRG_LARGE, _QRG_LATE = 1.35, 0.8
# Our own: a tenth is more than ways to fit the same good curve differ by; each mass is good to a
# tenth or so (Hajizadeh et al., Sci. Rep. 8 (2018) 7204), so that two may differ by a third.
_RADII_APART, _MASSES_APART = 0.1, 0.3
# From here on freesas calls a curve aggregated (containers.py of 2026.10).
_AGGREGATED = 0.1


def remarks_of(chain: Chain) -> tuple[str, ...]:
    """Give the chain's warnings, and what its numbers say against each other."""
    return (*chain.warnings, *_guinier(chain), *_pairs(chain), *_masses(chain))


def _guinier(chain: Chain) -> list[str]:
    chosen, said = chain.analysis.guinier, []
    if chosen.qrg_max > _QRG_LARGE:
        said.append(
            f"the Guinier fit reaches q·Rg = {number(chosen.qrg_max, 3)}; beyond 1.3 its line is "
            "too steep for a compact particle, and Rg comes out too large"
        )
    if chosen.qrg_min > _QRG_LATE:
        said.append(
            f"the Guinier fit begins at q·Rg = {number(chosen.qrg_min, 3)} only: the particle is "
            "large for the smallest q, and Rg and I(0) hang on few points"
        )
    radii = [one.rg_nm for one in chain.analysis.estimates]
    if len(radii) > 1 and max(radii) > (1 + _RADII_APART) * min(radii):
        named = ", ".join(
            f"{method_name(one.method)} {number(one.rg_nm, 3)}" for one in chain.analysis.estimates
        )
        said.append(
            f"the ways to find Rg differ by more than a tenth ({named}, nm): look at the Guinier "
            "plot for a bend at small q"
        )
    bent = [one.aggregated for one in chain.analysis.estimates if one.method == "autorg"]
    if bent and (bent[0] or 0.0) > _AGGREGATED:
        said.append(
            "the curve bends upwards at small q, which points to aggregation "
            f"({number(bent[0] or 0.0, 2)} by autorg, {_AGGREGATED} is the limit)"
        )
    return said


def _pairs(chain: Chain) -> list[str]:
    pairs, chosen = chain.analysis.pairs, chain.analysis.guinier
    if pairs is None:
        return []
    said = []
    if abs(pairs.rg_nm / chosen.rg_nm - 1) > _RADII_APART:
        said.append(
            f"Rg of p(r), {plus_minus(pairs.rg_nm, pairs.rg_error_nm)} nm, and of the Guinier "
            f"fit, {plus_minus(chosen.rg_nm, chosen.rg_error_nm)} nm, differ by more than a tenth"
        )
    if pairs.dmax_nm * float(chain.curve.q_per_nm[0]) > math.pi:
        said.append(
            f"Dmax = {number(pairs.dmax_nm, 3)} nm is more than the smallest q tells of (π / q = "
            f"{number(math.pi / float(chain.curve.q_per_nm[0]), 3)} nm)"
        )
    return said


def _masses(chain: Chain) -> list[str]:
    masses = chain.analysis.masses
    kda = [one.kda for one in masses]
    if len(kda) > 1 and max(kda) > (1 + _MASSES_APART) * min(kda):
        named = ", ".join(f"{method_name(one.method)} {number(one.kda, 3)}" for one in masses)
        return [
            f"molecular masses differ by more than 30 % ({named}, kDa): their laws hold for "
            "compact proteins, that of I(0) for a right concentration"
        ]
    return []
