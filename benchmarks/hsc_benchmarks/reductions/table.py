"""The cases of ``hsc bench reductions`` by name, and one measurement after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from hsc.errors import ConfigurationError
from hsc_benchmarks.reductions.comparing import Row

Case = Callable[[int, Path | None, Callable[[str], None]], Sequence[Row]]
"""Measures: rounds, where its files go (None: the temporary folder), who hears how far it is."""

# Case to its module and function; each brings its own packages when it is called.
CASES = {
    "cormap": "hsc_benchmarks.reductions.cormap:measure_cormap",
    "curves": "hsc_benchmarks.reductions.curves:measure_curves",
    "events": "hsc_benchmarks.reductions.events:measure_events",
    "fused": "hsc_benchmarks.reductions.fused:measure_fused",
    "hits": "hsc_benchmarks.reductions.hits:measure_hits",
    "memory": "hsc_benchmarks.reductions.memory:measure_memory",
    "azimuthal": "hsc_benchmarks.reductions.azimuthal:measure_azimuthal",
    "reading": "hsc_benchmarks.reductions.reading:measure_reading",
    "scaling": "hsc_benchmarks.reductions.scaling:measure_scaling",
    "statistics": "hsc_benchmarks.reductions.statistics:measure_statistics",
    "xfel": "hsc_benchmarks.reductions.xfel:measure_xfel",
}


def measure_reductions(
    *, case: str | None, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure one case, or all.

    Parameters
    ----------
    case
        Its name; None: all, one after the other.
    rounds
        How often each arm is timed.
    folder
        Where files go; None: the temporary folder.
    say
        Hears how far it is.

    Raises
    ------
    ConfigurationError
        There is no such case.
    """
    if case is not None and case not in CASES:
        raise ConfigurationError(
            f"there is no case {case!r}", next_step=f"use one of: {', '.join(CASES)}"
        )
    rows = []
    for name in [case] if case else CASES:
        say(f"case {name}")
        rows += [row.document(name) for row in find_case(name)(rounds, folder, say)]
    return {"source": {"rounds": rounds}, "rounds": rounds, "table": rows}


def find_case(name: str) -> Case:
    """Give the function of a case."""
    module, _, function = CASES[name].partition(":")
    found: Case = getattr(import_module(module), function)
    return found
