"""Out of the house again: datasets as HDF5, curves as NXcanSAS, pictures as PNG."""

from hsc.exporting.nxcansas import SasCurve, SasStep, write_nxcansas
from hsc.exporting.plots import (
    PlottedCurve,
    PlottedGuinier,
    plot_curves,
    plot_frame,
    plot_guinier,
)
from hsc.exporting.run import ExportedRun, export_run
from hsc.exporting.storage import Filters

__all__ = [
    "ExportedRun",
    "Filters",
    "PlottedCurve",
    "PlottedGuinier",
    "SasCurve",
    "SasStep",
    "export_run",
    "plot_curves",
    "plot_frame",
    "plot_guinier",
    "write_nxcansas",
]
