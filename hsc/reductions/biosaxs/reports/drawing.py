"""Plots drawn to the same bytes each time, as SVG or PNG."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase
    from matplotlib.layout_engine import LayoutEngine

INK, GREY, FAINT, COLOR = "#222222", "#767676", "#d8d8d8", "#1f4e79"
"""Colours that differ in lightness, too: plots have to be read without colour."""

_DPI = 120
# Small, so that on a phone, where they are drawn yet smaller, their letters can be read.
_WIDTH, _HEIGHT = 5.2, 4.1
_COLUMNS = 2
_PLACE_DIGITS = 4
# matplotlib's settings are the process's own: one drawing at a time changes them, and sets them
# back. Ids in an SVG are hashes; without a salt they are random.
_LOCK = threading.Lock()
_SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "hsc",
    "svg.fonttype": "path",
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "font.size": 11.0,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot that is drawn when a file needs it."""

    name: str
    """Name for links, as in ``guinier``."""
    title: str
    """Its title."""
    caption: str
    """What it shows, in words: for who can't see it, and for who reads it first."""
    draw: Callable[[FigureBase], None]
    """What draws it."""
    wide: bool = False
    """Whether it takes the whole width of a page."""


def as_svg(plot: Plot) -> bytes:
    """Draw a plot as SVG: text as outlines, no date, no version."""
    with _drawing():
        figure = _figure(2 * _WIDTH if plot.wide else _WIDTH, _HEIGHT)
        plot.draw(figure)
        return _saved(figure, "svg", {"Date": None, "Creator": None})


def as_png(plots: Sequence[Plot], title: str) -> bytes:
    """Draw plots as one PNG, two beside each other."""
    rows = -(-len(plots) // _COLUMNS)
    with _drawing():
        figure = _figure(_COLUMNS * _WIDTH, rows * (_HEIGHT + 0.4) + 0.5)
        # Between dollars matplotlib would read mathematics.
        figure.suptitle(title.replace("$", r"\$"), fontsize=14, color=INK, x=0.01, ha="left")
        parts = figure.subfigures(rows, _COLUMNS, squeeze=False).ravel()
        for plot, part in zip(plots, parts, strict=False):
            part.suptitle(plot.title, fontsize=12, color=INK, x=0.02, ha="left")
            plot.draw(part)
        return _saved(figure, "png", {"Software": None})


def clean(axes: Axes) -> None:
    """Leave the grid out, for pictures."""
    axes.grid(visible=False)


def legend_below(figure: FigureBase, axes: Axes, columns: int) -> None:
    """Put the legend of axes below a plot, where it hides no point."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=9)


@contextmanager
def _drawing() -> Iterator[None]:
    # matplotlib takes half a second to import, and is no part of a laptop's installation.
    import matplotlib as mpl

    with _LOCK, mpl.rc_context(), warnings.catch_warnings():
        # A name in letters that the font lacks is drawn as boxes; the page has it right.
        warnings.filterwarnings("ignore", message="Glyph ")
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def _figure(width: float, height: float) -> Figure:
    # As in _drawing. The object API leaves pyplot and its windows alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout=_layout())
    FigureCanvasAgg(figure)
    return figure


def _layout() -> LayoutEngine:
    """Give the constrained layout with places rounded to 1e-4 of a figure, a tenth of a pixel.

    Its solver orders what it solves by addresses in memory: last digits of a place differ from one
    drawing to the next, and with them, now and then, grey levels of single pixels.
    """
    # As in _drawing.
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    class Rounded(ConstrainedLayoutEngine):
        def execute(self, fig: Any) -> Any:
            solved = super().execute(fig)
            _round_places(fig)
            return solved

    return Rounded()


def _round_places(figure: Any) -> None:
    """Round the places of all axes, and of figures in a figure."""
    for part in figure.subfigs:
        for corner in ("p0", "p1"):
            place = getattr(part.bbox_relative, corner)
            setattr(part.bbox_relative, corner, np.round(place, _PLACE_DIGITS))
        _round_places(part)
    for axes in figure.axes:
        laid_out = axes.get_in_layout()
        for which in ("original", "active"):
            place = axes.get_position(original=which == "original")
            axes.set_position(np.round(place.bounds, _PLACE_DIGITS), which=which)
        axes.set_in_layout(laid_out)


def _saved(figure: Figure, form: str, metadata: dict[str, Any]) -> bytes:
    made = io.BytesIO()
    figure.savefig(made, format=form, dpi=_DPI, metadata=metadata)
    return made.getvalue()
