"""All reductions by name: a new one is a module, a test and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hsc.errors import UnknownReductionError
from hsc.reductions.azimuthal.reduction import AZIMUTHAL
from hsc.reductions.base import Reduction
from hsc.reductions.biosaxs.reduction import BIOSAXS
from hsc.reductions.biosaxs.sec import SEC_SAXS
from hsc.reductions.hits.reduction import HITS
from hsc.reductions.sans.reduction import SANS
from hsc.reductions.srcd.reduction import SRCD
from hsc.reductions.statistics.reduction import STATISTICS
from hsc.reductions.xfel.reduction import XFEL_CORRECT

REDUCTIONS: Mapping[str, Reduction[Any]] = {
    "azimuthal": AZIMUTHAL,
    "biosaxs": BIOSAXS,
    "hits": HITS,
    "sans": SANS,
    "sec_saxs": SEC_SAXS,
    "srcd": SRCD,
    "statistics": STATISTICS,
    "xfel_correct": XFEL_CORRECT,
}
"""Name to reduction."""


def find_reduction(name: str) -> Reduction[Any]:
    """Give the reduction of a name.

    Raises
    ------
    UnknownReductionError
        There is none; the known ones are listed.

    Examples
    --------
    >>> find_reduction("azimuthal").name
    'azimuthal'
    """
    if name not in REDUCTIONS:
        raise UnknownReductionError(
            f"there is no reduction {name!r}",
            next_step=f"the known ones are {', '.join(sorted(REDUCTIONS))}",
        )
    return REDUCTIONS[name]
