"""Timing several ways of doing the same thing, in alternation, and the medians of it."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of doing it."""

    prepare: Callable[[], None]
    """Makes the place ready, untimed."""
    run: Callable[[], object]
    """What is timed."""


def time_rounds(
    arms: Mapping[str, Arm], rounds: int, say: Callable[[str], None]
) -> dict[str, list[float]]:
    """Time each arm once in each round, each round beginning with another arm.

    Alternating spreads what else the machine does over all arms; turning the order keeps an arm
    from always coming after the same neighbour. One untimed round before warms caches, compiles
    kernels and imports packages.

    Parameters
    ----------
    arms
        Each arm by its name.
    rounds
        How often each arm is timed.
    say
        Hears how far it is.

    Returns
    -------
    times_s
        For each arm its seconds, round by round.
    """
    names = list(arms)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            arms[name].prepare()
            gc.collect()
            started = time.perf_counter()
            arms[name].run()
            seconds = time.perf_counter() - started
            if number:
                times[name].append(seconds)
        shown = ", ".join(f"{name} {times[name][-1]:.2f} s" for name in names if number)
        say(f"round {number} of {rounds}: {shown}" if number else "warmed up")
    return times


def summarise(times_s: Mapping[str, list[float]], nbytes: int, floor: str) -> list[dict[str, Any]]:
    """Give each arm's median, speed and its ratio to the floor.

    Parameters
    ----------
    times_s
        For each arm its seconds.
    nbytes
        Bytes that each arm took in.
    floor
        The arm that the others are compared with.
    """
    medians = {name: statistics.median(times) for name, times in times_s.items()}
    return [
        {
            "arm": name,
            "times_s": [round(seconds, 4) for seconds in times],
            "median_s": round(medians[name], 4),
            "bytes_per_s": round(nbytes / medians[name]),
            "times_the_floor": round(medians[name] / medians[floor], 3),
        }
        for name, times in times_s.items()
    ]
