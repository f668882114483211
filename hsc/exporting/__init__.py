"""Out of the house again: datasets as HDF5, curves as NXcanSAS, pictures, histories, citations."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsc.exporting.carried import (
        carried_folder,
        check_carried,
        check_named,
        write_carried,
        write_named,
    )
    from hsc.exporting.datacite import (
        Citation,
        datacite_of_dataset,
        datacite_of_publication,
    )
    from hsc.exporting.entries import has_entries, write_entries
    from hsc.exporting.histories import write_crate_files, write_picture, write_prov
    from hsc.exporting.nxcansas import SasCurve, SasStep, write_nxcansas
    from hsc.exporting.parts import is_decoded
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
    "Citation",
    "ExportedRun",
    "Filters",
    "PlottedCurve",
    "PlottedGuinier",
    "SasCurve",
    "SasStep",
    "carried_folder",
    "check_carried",
    "check_named",
    "datacite_of_dataset",
    "datacite_of_publication",
    "export_run",
    "has_entries",
    "is_decoded",
    "plot_curves",
    "plot_frame",
    "plot_guinier",
    "write_carried",
    "write_crate_files",
    "write_entries",
    "write_named",
    "write_nxcansas",
    "write_picture",
    "write_prov",
]

_LATER = {
    "Citation": "datacite",
    "ExportedRun": "run",
    "Filters": "storage",
    "PlottedCurve": "plots",
    "PlottedGuinier": "plots",
    "SasCurve": "nxcansas",
    "SasStep": "nxcansas",
    "carried_folder": "carried",
    "check_carried": "carried",
    "check_named": "carried",
    "datacite_of_dataset": "datacite",
    "datacite_of_publication": "datacite",
    "export_run": "run",
    "has_entries": "entries",
    "is_decoded": "parts",
    "plot_curves": "plots",
    "plot_frame": "plots",
    "plot_guinier": "plots",
    "write_carried": "carried",
    "write_crate_files": "histories",
    "write_entries": "entries",
    "write_named": "carried",
    "write_nxcansas": "nxcansas",
    "write_picture": "histories",
    "write_prov": "histories",
}


def __getattr__(name: str) -> Any:
    # Histories go out of a researcher's installation too, which has no h5py.
    if name in _LATER:
        return getattr(import_module(f"hsc.exporting.{_LATER[name]}"), name)
    raise AttributeError(name)
