"""The table of layouts: the first that recognises a path takes it."""

from __future__ import annotations

from pathlib import Path

from hsc.errors import ConfigurationError, LayoutError
from hsc.layouts.constants import ConstantsLayout
from hsc.layouts.dectris import DectrisLayout
from hsc.layouts.events import EventsLayout
from hsc.layouts.exfel import ExfelLayout
from hsc.layouts.folder import FolderLayout
from hsc.layouts.pictures import DARK, FLATFIELD, MASK, PICTURE
from hsc.layouts.plain import PlainLayout
from hsc.layouts.poni import PoniLayout
from hsc.layouts.run import Layout, Run
from hsc.layouts.spectra import COLUMNS, SCAN, SPECTRUM
from hsc.layouts.wavelength_table import WavelengthTableLayout

LAYOUTS: tuple[Layout, ...] = (
    # Those of files that are no HDF5, which the others refuse, go first.
    PoniLayout(),
    PICTURE,
    MASK,
    FLATFIELD,
    DARK,
    COLUMNS,
    SCAN,
    SPECTRUM,
    ExfelLayout(),
    DectrisLayout(),
    FolderLayout(),
    EventsLayout(),
    ConstantsLayout(),
    WavelengthTableLayout(),
    PlainLayout(),
)


def read_run(path: Path, *, layout: str | None, time_zone: str) -> Run:
    """Read a run's files, all but their data.

    Parameters
    ----------
    path
        A run's folder; or a file, of a run of many files the one that links the others.
    layout
        Name of the layout; None: found out.
    time_zone
        IANA zone of times that the files write without one.

    Raises
    ------
    ConfigurationError
        No layout has that name.
    SourceError
        A file is missing, damaged, not HDF5, or not arranged as the layout says.
    """
    if layout is None:
        return next(each for each in LAYOUTS if each.recognises(path)).read(path, time_zone)
    for each in LAYOUTS:
        if each.name == layout:
            if not each.recognises(path):
                raise LayoutError(
                    f"it is not arranged as {layout}",
                    where=str(path),
                    next_step="leave --layout out: hsc finds the layout that fits",
                )
            return each.read(path, time_zone)
    raise ConfigurationError(
        f"unknown layout {layout!r}",
        next_step=f"use one of: {', '.join(each.name for each in LAYOUTS)}",
    )
