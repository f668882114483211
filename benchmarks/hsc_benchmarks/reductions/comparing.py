"""Our way beside others: the same work in alternation, in one process, and how much sooner done."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One arm of a comparison."""

    what: str
    """What is done, with the unit that ``ms`` is of."""
    arm: str
    """Whose way of doing it."""
    ms: float
    """Median of the rounds by the clock, of one unit of the work."""
    ratio: float | None = None
    """How many times longer than ours it took; of a row of its own kind, what it says."""
    wanted: float | None = None
    """What the ratio shall be at least; None: nothing is asked of it."""
    processor_ms: float | None = None
    """Likewise of processor time, which a loaded machine changes less."""
    processor_ratio: float | None = None
    """How many times ours it took."""
    peak_megabytes: float | None = None
    """Most resident memory, where it was measured."""

    def document(self, case: str) -> dict[str, Any]:
        """Give the row as plain JSON values."""
        return {
            "case": case,
            "what": self.what,
            "arm": self.arm,
            "ms": _rounded(self.ms, 4),
            "ratio": _rounded(self.ratio, 2),
            "wanted": self.wanted,
            "processor_ms": _rounded(self.processor_ms, 4),
            "processor_ratio": _rounded(self.processor_ratio, 2),
            "peak_megabytes": _rounded(self.peak_megabytes, 0),
        }


def compare(
    what: str,
    arms: Mapping[str, Callable[[], object]],
    *,
    units: int = 1,
    wanted: Mapping[str, float] | None = None,
    rounds: int,
    say: Callable[[str], None],
) -> list[Row]:
    """Time ways of doing the same thing by turns; one untimed round goes before.

    Parameters
    ----------
    what
        What is done.
    arms
        Each way by its name; the first is ours.
    units
        How many of what ``ms`` is told of each call does.
    wanted
        By arm, how many times longer than ours it shall take.
    rounds
        How often each is timed; each round begins with another arm.
    say
        Hears how far it is.
    """
    say(what)
    clock, processor = time_by_turns(arms, rounds, say)
    ours = next(iter(arms))
    return [
        Row(
            what,
            name,
            1000 * clock[name] / units,
            None if name == ours else clock[name] / clock[ours],
            (wanted or {}).get(name),
            1000 * processor[name] / units,
            None if name == ours else processor[name] / processor[ours],
        )
        for name in arms
    ]


def time_by_turns(
    arms: Mapping[str, Callable[[], object]], rounds: int, say: Callable[[str], None]
) -> tuple[dict[str, float], dict[str, float]]:
    """Give for each arm the median of its seconds by the clock, and of its processor's."""
    names = list(arms)
    clock: dict[str, list[float]] = {name: [] for name in names}
    processor: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            gc.collect()
            started, begun = time.perf_counter(), time.process_time()
            arms[name]()
            if number:  # the first round warms caches and compiles kernels
                clock[name].append(time.perf_counter() - started)
                processor[name].append(time.process_time() - begun)
        shown = ", ".join(f"{name} {clock[name][-1]:.2f} s" for name in names if number)
        say(f"round {number} of {rounds}: {shown}" if number else "warmed up")
    return (
        {name: statistics.median(times) for name, times in clock.items()},
        {name: statistics.median(times) for name, times in processor.items()},
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
