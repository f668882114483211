"""The plots of a chain: curve, Guinier, Kratky, p(r)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.biosaxs.analysis import Analysis
from hsc.reductions.biosaxs.chain import Chain
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.pairs import PairDistances
from hsc.reductions.biosaxs.reports.drawing import COLOR, FAINT, GREY, INK, Plot, legend_below
from hsc.reductions.biosaxs.reports.frames_plots import frames_plots
from hsc.reductions.biosaxs.reports.wording import number, plus_minus
from hsc.reductions.biosaxs.runs import Side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_KRATKY_QRG = 8.0


def chain_plots(chain: Chain, *, traces: bool = True) -> tuple[Plot, ...]:
    """Give the plots of a chain, in the order of reading.

    Parameters
    ----------
    chain
        What was averaged, subtracted and found.
    traces
        Whether the intensity of each frame is among them.
    """
    analysis = chain.analysis
    guinier = analysis.guinier
    unit = "1/cm" if chain.scale is not None else "arbitrary units"
    plots = [
        Plot(
            "curve", "Scattering curve",
            "I(q) of sample, buffer and their difference, "
            f"{len(chain.curve.q_per_nm)} points, "
            "both axes logarithmic; bars are one standard deviation, and points at or below zero "
            "are not drawn.",
            partial(_draw_curves, chain=chain, unit=unit),
        ),
        Plot(
            "guinier", "Guinier fit",
            f"ln I over q² with the line of Rg = {plus_minus(guinier.rg_nm, guinier.rg_error_nm)} "
            f"nm, from q·Rg = {number(guinier.qrg_min, 2)} to {number(guinier.qrg_max, 3)}; below, "
            "residuals in standard deviations, which should lie without pattern around zero.",
            partial(_draw_guinier, analysis=analysis),
        ),
        Plot(
            "kratky", "Dimensionless Kratky plot",
            "(q·Rg)² I / I(0) over q·Rg; the cross marks (√3, 1.104), where a compact globular "
            "particle peaks. A curve that keeps rising is of a flexible or unfolded one.",
            partial(_draw_kratky, analysis=analysis),
        ),
    ]  # fmt: skip
    if analysis.pairs is not None:
        pairs = analysis.pairs
        plots.append(Plot(
            "pr", "Pair distances",
            f"p(r) with one standard deviation; Dmax = "
            f"{plus_minus(pairs.dmax_nm, pairs.dmax_error_nm)} nm, "
            f"Rg = {plus_minus(pairs.rg_nm, pairs.rg_error_nm)} nm, reduced χ² = "
            f"{number(pairs.chi2, 3)}.",
            partial(_draw_pairs, pairs=pairs),
        ))  # fmt: skip
    plots += frames_plots(chain, traces=traces)
    return tuple(plots)


def _draw_curves(figure: FigureBase, *, chain: Chain, unit: str) -> None:
    axes = figure.subplots()
    sides: Sequence[tuple[Side, str]] = ((chain.sample, "-"), (chain.buffer, "--"))
    for side, line in sides:
        some = _positive(side.curve)
        label = f"{side.name}, {side.frames_kept} frames"
        axes.plot(some.q_per_nm, some.intensity, line, color=GREY, linewidth=1.2, label=label)
    some = _positive(chain.curve)
    _bars(axes, some.q_per_nm, some.intensity, some.error, "sample less buffer")
    pairs = chain.analysis.pairs
    if pairs is not None:
        axes.plot(pairs.q_per_nm, pairs.intensity, "-", color=COLOR, linewidth=1.8,
                  label="fit of p(r)", zorder=3)  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    clear = some.intensity[some.intensity > 2 * some.error]
    if len(clear):
        # Values lost in noise would stretch the axis by decades; they run out at the bottom.
        axes.set_ylim(bottom=float(clear.min()) / 3)
    axes.set_xlabel("q (nm⁻¹)")
    axes.set_ylabel(f"I ({unit.replace('1/cm', 'cm⁻¹')})")
    legend_below(figure, axes, columns=2)


def _draw_guinier(figure: FigureBase, *, analysis: Analysis) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    chosen, curve = analysis.guinier, analysis.curve
    # Half as much again beyond the range, to see how the curve leaves the line.
    shown = np.zeros(len(curve.q_per_nm), dtype=np.bool_)
    length = chosen.stop - chosen.start
    shown[: chosen.stop + max(2, length // 2)] = True
    shown &= (curve.intensity > 0) & (curve.error > 0)
    fitted = shown.copy()
    fitted[: chosen.start] = False
    fitted[chosen.stop :] = False
    for points, face, label in ((fitted, INK, "fitted"), (shown & ~fitted, "white", "left out")):
        some = curve.at(points)
        upper.errorbar(
            some.q_per_nm**2, np.log(some.intensity), some.error / some.intensity, fmt="o",
            markersize=3.5, color=INK, markerfacecolor=face, ecolor=GREY, elinewidth=0.8,
            label=label,
        )  # fmt: skip
    some = curve.at(fitted)
    line = math.log(chosen.i0) - (chosen.rg_nm * some.q_per_nm) ** 2 / 3
    upper.plot(some.q_per_nm**2, line, color=COLOR, linewidth=1.8, zorder=3,
               label=f"Rg = {plus_minus(chosen.rg_nm, chosen.rg_error_nm)} nm")  # fmt: skip
    upper.set_ylabel("ln I")
    residual = (np.log(some.intensity) - line) * some.intensity / some.error
    lower.axhline(0, color=COLOR, linewidth=1.4)
    lower.plot(some.q_per_nm**2, residual, "o", markersize=3.5, color=INK)
    most = max(3.0, float(np.abs(residual).max()) if len(residual) else 0.0)
    lower.set_ylim(-1.1 * most, 1.1 * most)
    lower.set_ylabel("residual / σ")
    lower.set_xlabel("q² (nm⁻²)")
    legend_below(figure, upper, columns=3)


def _draw_kratky(figure: FigureBase, *, analysis: Analysis) -> None:
    axes = figure.subplots()
    kratky = analysis.kratky
    shown = kratky.qrg <= _KRATKY_QRG
    x, y, error = kratky.qrg[shown], kratky.value[shown], kratky.error[shown]
    _bars(axes, x, y, error, "measured")
    axes.axvline(math.sqrt(3), color=COLOR, linewidth=1.0, linestyle=":")
    axes.axhline(3 / math.e, color=COLOR, linewidth=1.0, linestyle=":")
    axes.plot([math.sqrt(3)], [3 / math.e], "x", color=COLOR, markersize=10,
              markeredgewidth=2, label="globular: (√3, 1.104)")  # fmt: skip
    clear = y[error < 0.2]
    top = float(clear.max()) if len(clear) else 1.2
    axes.set_ylim(-0.2, 1.25 * max(1.2, top))
    axes.set_xlabel("q·Rg")
    axes.set_ylabel("(q·Rg)² I / I(0)")
    legend_below(figure, axes, columns=2)


def _draw_pairs(figure: FigureBase, *, pairs: PairDistances) -> None:
    axes = figure.subplots()
    scale = float(np.abs(pairs.p).max()) or 1.0
    p, error = pairs.p / scale, pairs.p_error / scale
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.fill_between(pairs.r_nm, p - error, p + error, color=FAINT, linewidth=0,
                      label="one standard deviation")  # fmt: skip
    axes.plot(pairs.r_nm, p, color=INK, linewidth=1.6, label="p(r)")
    axes.axvline(pairs.dmax_nm, color=COLOR, linestyle=":", linewidth=1.4,
                 label=f"Dmax = {plus_minus(pairs.dmax_nm, pairs.dmax_error_nm)} nm")  # fmt: skip
    axes.set_xlabel("r (nm)")
    axes.set_ylabel("p(r) / largest")
    legend_below(figure, axes, columns=3)


def _positive(curve: Curve) -> Curve:
    return curve.at((curve.q_per_nm > 0) & (curve.intensity > 0))


def _bars(
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    error: NDArray[np.float64],
    label: str,
) -> None:
    axes.errorbar(x, y, error, fmt="o", markersize=2.2, color=INK, ecolor=GREY, elinewidth=0.6,
                  label=label)  # fmt: skip
