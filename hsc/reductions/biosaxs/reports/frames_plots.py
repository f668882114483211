"""The plots of frames: what each scattered, which are alike, which were kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.biosaxs.chain import Chain
from hsc.reductions.biosaxs.choosing import spell_frames
from hsc.reductions.biosaxs.reports.drawing import COLOR, GREY, INK, Plot, clean, legend_below
from hsc.reductions.biosaxs.runs import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_MATRIX_SIDE = 240
_LEAST_LOG_P = -8.0
_MOST_MAPS = 4
_MOST_TRACES = 6


def frames_plots(chain: Chain, *, traces: bool = True) -> tuple[Plot, ...]:
    """Give the plots of a chain's frames.

    Parameters
    ----------
    chain
        Runs of sample and buffer.
    traces
        Whether the intensity of each frame is drawn; an elution has its chromatogram.
    """
    every = [run for side in (chain.sample, chain.buffer) for run in side.runs]
    plots = []
    if traces:
        shown = every[:_MOST_TRACES]
        plots.append(Plot(
            "intensity", "Intensity of each frame",
            f"Mean intensity of each frame over that of its run; {_kept(shown)}. Filled points "
            "were averaged, open ones left out. A drift or a step is a bubble, a beam that moved, "
            f"or damage.{_more(len(every), len(shown), 'runs')}",
            partial(_draw_traces, runs=shown),
        ))  # fmt: skip
    compared = [run for run in every if run.similarity is not None]
    if compared:
        chosen = _some(chain, compared)
        plots.append(Plot(
            "frames", "Frames that are alike",
            "Correlation maps (CorMap): the probability that two frames show the same, dark where "
            "it is small; the frame drawn into each map is the block that was kept."
            f"{_more(len(compared), len(chosen), 'maps')}",
            partial(_draw_maps, runs=chosen),
        ))  # fmt: skip
    return tuple(plots)


def _kept(runs: Sequence[Run]) -> str:
    return "; ".join(
        f"{run.name}: {int(run.kept.sum())} of {run.frames} kept ({spell_frames(run.kept)})"
        for run in runs
    )


def _more(there: int, drawn: int, what: str) -> str:
    return f" The first {drawn} of {there} {what} are drawn." if drawn < there else ""


def _some(chain: Chain, compared: Sequence[Run]) -> list[Run]:
    """Give those that fit, half of them of each side where both have enough."""
    if len(compared) <= _MOST_MAPS:
        return list(compared)
    sides = [[run for run in compared if run in side.runs] for side in (chain.sample, chain.buffer)]
    half = _MOST_MAPS // 2
    room = (max(half, _MOST_MAPS - len(sides[1])), max(half, _MOST_MAPS - len(sides[0])))
    return [run for runs, most in zip(sides, room, strict=True) for run in runs[:most]]


def _draw_traces(figure: FigureBase, *, runs: Sequence[Run]) -> None:
    every = figure.subplots(len(runs), 1, squeeze=False, sharex=True).ravel()
    for axes, run in zip(every, runs, strict=True):
        intensity = _mean_intensity(run)
        frames = np.arange(1, run.frames + 1)
        size = 4.0 if run.frames <= 100 else 2.0
        for points, face, label in ((run.kept, INK, "kept"), (~run.kept, "white", "left out")):
            axes.plot(frames[points], intensity[points], "o", markersize=size, color=INK,
                      markerfacecolor=face, markeredgewidth=0.7, label=label)  # fmt: skip
        axes.axhline(1, color=COLOR, linewidth=1.0)
        axes.set_title(run.name, fontsize=10)
        whole_numbers(axes, both=False)
        # A fluctuation of a thousandth should not look like a catastrophe.
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.995), max(high, 1.005))
    every[-1].set_xlabel("frame")
    figure.supylabel("intensity / mean", fontsize=11)
    legend_below(figure, every[0], columns=2)


def _mean_intensity(run: Run) -> NDArray[np.float64]:
    """Give the intensity of each frame over the mean of those that are kept."""
    norm = run.sums.normalization.sum(axis=-1)
    mean: NDArray[np.float64] = run.sums.signal.sum(axis=-1, dtype=np.float64) / norm
    scale = float(mean[run.kept].mean()) if run.kept.any() else float(mean.mean())
    return mean / (scale or 1.0)


def _draw_maps(figure: FigureBase, *, runs: Sequence[Run]) -> None:
    columns = min(2, len(runs))
    every = figure.subplots(-(-len(runs) // columns), columns, squeeze=False).ravel()
    image = None
    for axes in every[len(runs) :]:
        axes.set_axis_off()
    for axes, run in zip(every, runs, strict=False):
        similar = run.similarity
        if similar is None:
            continue
        clean(axes)
        frames = len(similar.longest)
        low = 10.0**_LEAST_LOG_P
        log = np.log10(np.maximum(similar.chance[_block_maxima(similar.longest)], low))
        image = axes.imshow(
            log, cmap="gray", vmin=_LEAST_LOG_P, vmax=0, interpolation="nearest", origin="lower",
            extent=(0.5, frames + 0.5, 0.5, frames + 0.5),
        )  # fmt: skip
        first, last = similar.start + 0.5, similar.stop + 0.5
        square = ([first, last, last, first, first], [first, first, last, last, first])
        axes.plot(*square, color="white", linewidth=3.5, clip_on=False)
        axes.plot(*square, color=COLOR, linewidth=1.8, clip_on=False)
        axes.set_title(f"{run.name}: {int(run.kept.sum())} of {frames} kept", fontsize=10)
        whole_numbers(axes)
    for axes in every[max(0, len(runs) - columns) : len(runs)]:
        axes.set_xlabel("frame")
    for axes in every[: len(runs) : columns]:
        axes.set_ylabel("frame")
    if image is not None:
        below = len(runs) <= columns  # maps beside each other leave room there
        bar = figure.colorbar(image, ax=list(every), shrink=0.7, aspect=30,
                              location="bottom" if below else "right")  # fmt: skip
        bar.set_label("log₁₀ of the probability", fontsize=9, color=GREY)


def whole_numbers(axes: Axes, *, both: bool = True) -> None:
    """Let the axes of frames have ticks at frames only, few where ``both`` are: maps are small."""
    # As in drawing: matplotlib is imported when it is needed.
    from matplotlib.ticker import MaxNLocator

    for axis in (axes.xaxis, axes.yaxis) if both else (axes.xaxis,):
        axis.set_major_locator(MaxNLocator(nbins=4 if both else 6, integer=True, min_n_ticks=1))


def _block_maxima(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Make a large map smaller by the largest of each block: a bad frame stays in sight."""
    block = -(-len(values) // _MATRIX_SIDE)
    if block == 1:
        return values
    side = -(-len(values) // block)
    padded = np.zeros((side * block, side * block), values.dtype)
    padded[: len(values), : len(values)] = values
    largest: NDArray[np.integer] = padded.reshape(side, block, side, block).max(axis=(1, 3))
    return largest
