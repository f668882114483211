"""The plot of an elution: chromatogram, radius of gyration along it, buffer and peaks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hsc.reductions.biosaxs.peaks import SecSaxs
from hsc.reductions.biosaxs.reports.drawing import COLOR, FAINT, GREY, INK, Plot, legend_below
from hsc.reductions.biosaxs.reports.frames_plots import whole_numbers
from hsc.reductions.biosaxs.runs import Run

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

# A radius that is known worse than this is not drawn.
_SURE = 0.2


def elution_plot(found: SecSaxs) -> Plot:
    """Give the plot of an elution."""
    return Plot(
        "elution", "Chromatogram",
        f"Mean intensity of {found.run.frames} frames (line) and radius of gyration along the "
        "peaks (points, right axis); averaged frames are shaded, frames taken as buffer hatched. "
        "A peak whose radius changes holds more than one kind of particle.",
        partial(_draw, found=found), wide=True,
    )  # fmt: skip


def _draw(figure: FigureBase, *, found: SecSaxs) -> None:
    axes = figure.subplots()
    frames = np.arange(1, found.run.frames + 1)
    axes.plot(frames, found.chromatogram.intensity, color=INK, linewidth=1.2, label="mean I")
    axes.axhline(found.chromatogram.baseline, color=GREY, linewidth=0.8, linestyle="--",
                 label="baseline")  # fmt: skip
    if found.buffer_in_run:
        for n, (start, stop) in enumerate(_stretches(found.buffer)):
            axes.axvspan(start + 0.5, stop + 0.5, facecolor="none", edgecolor=GREY, hatch="///",
                         linewidth=0, alpha=0.6, label=None if n else "buffer")  # fmt: skip
    for number, peak in enumerate(found.peaks, start=1):
        axes.axvspan(peak.used.start + 0.5, peak.used.stop + 0.5, color=FAINT, zorder=0,
                     label="averaged" if number == 1 else None)  # fmt: skip
        axes.text(peak.used.top + 1, 0.99, f"{number}", transform=axes.get_xaxis_transform(),
                  ha="center", va="top", fontsize=11)  # fmt: skip
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.08 * (high - low))
    axes.set_xlabel("frame")
    axes.set_ylabel("mean I (arbitrary units)")
    right = axes.twinx()
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    elution = found.elution
    good = np.isfinite(elution.rg_nm) & (elution.rg_error_nm < _SURE * elution.rg_nm)
    right.errorbar(
        frames[good], elution.rg_nm[good], elution.rg_error_nm[good], fmt="o", markersize=2.5,
        color=COLOR, ecolor=GREY, elinewidth=0.6,
    )  # fmt: skip
    if good.any():
        # Room for every peak's own radius, and not for a single frame far out on a flank.
        radii = [one.chain.analysis.guinier.rg_nm for one in found.peaks]
        most = max(*radii, float(np.percentile(elution.rg_nm[good], 95)))
        right.set_ylim(0, 1.3 * most)
    right.set_ylabel("Rg (nm)", color=COLOR)
    whole_numbers(axes, both=False)
    legend_below(figure, axes, columns=4)


def _stretches(runs: Sequence[Run]) -> list[tuple[int, int]]:
    """Give first frame and one past the last of each stretch of kept frames."""
    found: list[tuple[int, int]] = []
    for run in runs:
        kept = np.concatenate([[0], run.kept.astype(np.int8), [0]])
        edges = np.flatnonzero(np.diff(kept)).reshape(-1, 2)
        found += [(int(start), int(stop)) for start, stop in edges]
    return found
