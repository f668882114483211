"""Pictures of curves, Guinier fits and frames, as PNG."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsc.exporting.files import new_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_DPI = 100
_COLORS = ("#1f4e79", "#c8553d", "#3a7d44", "#7a5195", "#8a6d1d")
_INK = "#222222"
_GRID = "#dddddd"
_MASKED = "#9aa0a6"
_LONGEST_SIDE = 900

_UNIT_SIGNS = {
    "1/nm": "nm$^{-1}$",
    "1/angstrom": "Å$^{-1}$",
    "1/A": "Å$^{-1}$",
    "1/cm": "cm$^{-1}$",
    "arbitrary": "arbitrary units",
}


@dataclass(frozen=True, slots=True)
class PlottedCurve:
    """A curve with the name that it bears in the picture."""

    label: str
    """Name in the legend."""
    q: ArrayLike
    """Scattering vector, shape (points,)."""
    intensity: ArrayLike
    """Intensity, shape (points,)."""
    error: ArrayLike
    """One standard deviation of it, shape (points,)."""


@dataclass(frozen=True, slots=True)
class PlottedGuinier:
    """What a picture of a Guinier fit shows."""

    q_squared: ArrayLike
    """Squared scattering vector of the fitted points, 1/nm², shape (points,)."""
    log_intensity: ArrayLike
    """ln I, shape (points,)."""
    error: ArrayLike
    """One standard deviation of it, shape (points,)."""
    line: ArrayLike
    """The fitted line at the points, shape (points,)."""
    rg_nm: float
    """Radius of gyration."""
    rg_error_nm: float
    """One standard deviation of it."""
    qrg_max: float
    """Largest q·Rg of the fit."""


def plot_curves(
    path: str | os.PathLike[str],
    curves: Sequence[PlottedCurve],
    *,
    title: str,
    q_unit: str = "1/nm",
    intensity_unit: str = "arbitrary",
    overwrite: bool = False,
) -> None:
    """Draw I(q) with errors, both axes logarithmic, 900 × 600 pixels.

    Points that are not positive have no place there; how many are missing is said in the legend.

    Raises
    ------
    ObjectExistsError
        A file is there and ``overwrite`` is False.
    """
    figure = _figure(9, 6)
    axes = figure.add_subplot()
    lowest = math.inf
    for index, curve in enumerate(curves):
        q, intensity, error = (
            np.asarray(column, dtype=np.float64)
            for column in (curve.q, curve.intensity, curve.error)
        )
        shown = (q > 0) & (intensity > 0) & np.isfinite(error)
        missing = int(len(q) - shown.sum())
        label = curve.label + (f" ({missing} points not positive)" if missing else "")
        color = _COLORS[index % len(_COLORS)]
        q, intensity, error = q[shown], intensity[shown], error[shown]
        # An error bar that reaches below zero ends at a hundredth of the value.
        low = np.maximum(intensity - error, intensity / 100)
        axes.fill_between(q, low, intensity + error, color=color, alpha=0.25, linewidth=0)
        axes.plot(q, intensity, color=color, linewidth=1.2, label=label)
        clear = intensity[intensity > error]
        lowest = min(lowest, float(clear.min()) / 2) if len(clear) else lowest
    axes.set_xscale("log")
    axes.set_yscale("log")
    if math.isfinite(lowest):
        # Values lost in noise would stretch the axis by decades; they run out at the bottom.
        axes.set_ylim(bottom=lowest)
    axes.set_xlabel(f"q ({_sign(q_unit)})")
    axes.set_ylabel(f"I ({_sign(intensity_unit)})")
    _dress(axes, title)
    axes.legend(frameon=False)
    _save(figure, path, overwrite)


def plot_guinier(
    path: str | os.PathLike[str], fit: PlottedGuinier, *, title: str, overwrite: bool = False
) -> None:
    """Draw ln I over q² with the fitted line, and its residuals below, 900 × 700 pixels.

    Raises
    ------
    ObjectExistsError
        A file is there and ``overwrite`` is False.
    """
    figure = _figure(9, 7)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    x, y, error, line = (
        np.asarray(column, dtype=np.float64)
        for column in (fit.q_squared, fit.log_intensity, fit.error, fit.line)
    )
    upper.errorbar(
        x, y, error, fmt="o", markersize=4, color=_COLORS[0], ecolor="#9fb7cc", label="ln I"
    )
    said = f"Rg = {fit.rg_nm:.3f} ± {fit.rg_error_nm:.3f} nm, q·Rg ≤ {fit.qrg_max:.2f}"
    upper.plot(x, line, color=_COLORS[1], linewidth=1.8, label=said)
    upper.set_ylabel("ln I")
    _dress(upper, title)
    upper.legend(frameon=False)
    lower.axhline(0, color=_COLORS[1], linewidth=1.2)
    lower.plot(x, (y - line) / error, "o", markersize=4, color=_COLORS[0])
    lower.set_ylabel("residual / σ")
    lower.set_xlabel("q² (nm$^{-2}$)")
    _dress(lower)
    _save(figure, path, overwrite)


def plot_frame(
    path: str | os.PathLike[str],
    frame: ArrayLike,
    *,
    title: str,
    mask: ArrayLike | None = None,
    overwrite: bool = False,
) -> None:
    """Draw one frame with a logarithmic colour scale, 900 pixels wide.

    Frames of more than 900 pixels along a side are shown as means over square blocks, good
    pixels only.

    Parameters
    ----------
    path
        The file to make.
    frame
        Counts, shape (rows, columns).
    title
        One line for people.
    mask
        Bad pixels, same shape, anything but 0; they are grey.
    overwrite
        Replace a file that is there.

    Raises
    ------
    ObjectExistsError
        A file is there and ``overwrite`` is False.
    """
    counts = np.asarray(frame, dtype=np.float64)
    if mask is not None:
        counts = np.where(np.asarray(mask) != 0, np.nan, counts)
    rows, columns = counts.shape
    block = math.ceil(max(rows, columns) / _LONGEST_SIDE)
    shown = _block_means(counts, block)
    figure = _figure(9, min(12.0, max(4.0, 7.8 * rows / columns + 0.9)))
    axes = figure.add_subplot()
    bar = figure.colorbar(_image(axes, shown, counts.shape), ax=axes, extend="both", shrink=0.85)
    bar.set_label("counts per pixel")
    axes.set_xlabel("x (pixels)")
    axes.set_ylabel("y (pixels)")
    said = f"{title} (means of {block} × {block} pixels)" if block > 1 else title
    axes.set_title(said, loc="left", fontsize=13, color=_INK)
    _save(figure, path, overwrite)


def _image(axes: Axes, shown: NDArray[np.float64], shape: tuple[int, ...]) -> AxesImage:
    # matplotlib costs half a second and is not part of a laptop's installation.
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    low, high = _count_range(shown)
    return axes.imshow(
        # A zero has no logarithm, but it is a measurement: black, not the grey of bad pixels.
        np.where(shown <= 0, low / 2, shown),
        norm=LogNorm(low, high),
        cmap=colormaps["viridis"].with_extremes(bad=_MASKED, under="#000000"),
        interpolation="nearest",
        extent=(0, shape[1], shape[0], 0),
    )


def _count_range(shown: NDArray[np.float64]) -> tuple[float, float]:
    """Give the ends of the colour scale."""
    positive = shown[np.isfinite(shown) & (shown > 0)]
    if not positive.size:
        return 1.0, 10.0
    low = min(1.0, float(positive.min()))
    # A few hot pixels would take the whole scale; they are drawn as its end.
    return low, max(10 * low, float(np.quantile(positive, 0.9995)))


def _block_means(counts: NDArray[np.float64], block: int) -> NDArray[np.float64]:
    """Average square blocks over their finite pixels; NaN where there is none."""
    if block == 1:
        return counts
    rows, columns = (-(-length // block) for length in counts.shape)
    padded = np.full((rows * block, columns * block), np.nan)
    padded[: counts.shape[0], : counts.shape[1]] = counts
    cut = padded.reshape(rows, block, columns, block)
    good = np.isfinite(cut)
    number = good.sum(axis=(1, 3))
    total = np.where(good, cut, 0).sum(axis=(1, 3))
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _figure(width: float, height: float) -> Figure:
    # As in _image.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # The object API keeps no global state: pictures may be drawn from several threads.
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _dress(axes: Axes, title: str | None = None) -> None:
    axes.grid(visible=True, color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if title:
        axes.set_title(title, loc="left", fontsize=13, color=_INK)


def _save(figure: Figure, path: str | os.PathLike[str], overwrite: bool) -> None:
    # The same picture gives the same bytes: no time and no version in the file.
    metadata: dict[str, Any] = {"Software": None}
    with new_file(path, overwrite=overwrite) as beside:
        figure.savefig(beside, format="png", dpi=_DPI, metadata=metadata)


def _sign(unit: str) -> str:
    return _UNIT_SIGNS.get(unit, unit)
