"""What a facility's files mean: one file per layout, one visible table, one TOML per facility."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hsc.layouts.facility_table import facilities, find_facility, instruments
from hsc.layouts.fact_table import LASTING, SAMPLE_NUMBERS
from hsc.layouts.technique_table import find_technique, technique_family, techniques

if TYPE_CHECKING:
    from hsc.layouts.run import Asset, Facts, Layout, Piece, Run, RunArray, RunFile
    from hsc.layouts.table import LAYOUTS, read_run

__all__ = [
    "LASTING",
    "LAYOUTS",
    "SAMPLE_NUMBERS",
    "Asset",
    "Facts",
    "Layout",
    "Piece",
    "Run",
    "RunArray",
    "RunFile",
    "facilities",
    "find_facility",
    "find_technique",
    "instruments",
    "read_run",
    "technique_family",
    "techniques",
]


def __getattr__(name: str) -> Any:
    # Layouts read HDF5, which a researcher's installation comes without.
    if name in ("LAYOUTS", "read_run"):
        from hsc.layouts import table

        return getattr(table, name)
    if name in __all__:
        from hsc.layouts import run

        return getattr(run, name)
    raise AttributeError(name)
