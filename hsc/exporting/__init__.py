"""Out of the house again: curves as NXcanSAS, pictures as PNG."""

from hsc.exporting.nxcansas import SasCurve, SasStep, write_nxcansas
from hsc.exporting.plots import (
    PlottedCurve,
    PlottedGuinier,
    plot_curves,
    plot_frame,
    plot_guinier,
)

__all__ = [
    "PlottedCurve",
    "PlottedGuinier",
    "SasCurve",
    "SasStep",
    "plot_curves",
    "plot_frame",
    "plot_guinier",
    "write_nxcansas",
]
