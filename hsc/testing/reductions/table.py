"""All examples by the name of their reduction: a new reduction is a line here, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from hsc.jobs import ReduceRequest
from hsc.testing.reductions.dichroism import srcd
from hsc.testing.reductions.neutrons import sans
from hsc.testing.reductions.pulsed import hits, xfel_correct
from hsc.testing.reductions.scattering import azimuthal, biosaxs, sec_saxs, statistics

EXAMPLES: Mapping[str, Callable[[Path], ReduceRequest]] = {
    "azimuthal": azimuthal,
    "biosaxs": biosaxs,
    "hits": hits,
    "sans": sans,
    "sec_saxs": sec_saxs,
    "srcd": srcd,
    "statistics": statistics,
    "xfel_correct": xfel_correct,
}
"""Name of a reduction to what puts small inputs into the store that ``HSC_STORE`` names, with files
made in an empty folder, and words the request: all that the reduction can do, in about a second."""
