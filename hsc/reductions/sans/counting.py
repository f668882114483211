"""Events of pixels and monitors to integer counts: tasks over ranges of pulses, then one sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import (
    EventCounts,
    PixelPaths,
    PulseFrame,
    count_events,
    event_bins,
    no_counts,
)
from hsc.reductions.base import SourceArray
from hsc.reductions.sans.lookup import Lookup, table_of
from hsc.reductions.sans.parameters import RATE_M_ANGSTROM_PER_S, SansBins
from hsc.reductions.sans.pixels import Bank, pixels_of
from hsc.workers import Progress, Workers

EVENTS_PER_TASK = 8_000_000
"""So many events, to the end of a pulse, are one task."""
_BATCH = 1_000_000
_ANY_Q = event_bins(np.array([0.0, 1e300]))


@dataclass(frozen=True, slots=True, eq=False)
class MonitorEvents:
    """A monitor that recorded single events."""

    times: SourceArray
    """Time of each event since its pulse."""
    length_m: float
    """How far neutrons fly to it, m."""
    second: float
    """The unit of time, s."""
    lookup: Lookup | None = None
    """Wavelengths by time and length; None: λ = h t / (m L)."""


@dataclass(frozen=True, slots=True)
class EventTask:
    """Consecutive events and how they are counted."""

    source: Bank | MonitorEvents
    """Where they are from."""
    start: int
    """First event."""
    stop: int
    """One past the last event."""
    bins: SansBins
    """The bins."""
    frame: PulseFrame
    """Period and shortest wavelength, in the events' unit of time."""
    owner: int = 0
    """Which of the sources they are from."""


def monitor_rate(length_m: float, second: float) -> float:
    """Give the wavelength per unit of time at a monitor so far from the source, angstrom."""
    return RATE_M_ANGSTROM_PER_S * second / length_m


def count_all(
    sources: Sequence[tuple[Bank | MonitorEvents, PulseFrame]],
    bins: SansBins,
    workers: Workers,
    progress: Progress,
    *,
    per_task: int = EVENTS_PER_TASK,
    unequal: str = "fail",
) -> list[EventCounts]:
    """Count the events of each source; a monitor's stand in the first column of ``radial``.

    The same counts come out for any number of workers and any cut into tasks.

    Raises
    ------
    ReductionError
        Events and pixel numbers are not as many, or the pulses' first events do not ascend.
    """
    tasks = [
        EventTask(source, start, stop, bins, frame, owner)
        for owner, (source, frame) in enumerate(sources)
        for start, stop in _ranges(source, per_task, unequal)
    ]
    weights = [task.stop - task.start for task in tasks]
    totals = [_nothing(source, bins) for source, _ in sources]

    def add(part: tuple[int, EventCounts]) -> None:
        owner, counts = part
        totals[owner] = totals[owner] + counts

    progress.start("count", sum(weights), "events")
    # Whole numbers, which may come in any order: none is kept.
    workers.fold(_count_owned, tasks, add, progress=progress, weights=weights)
    progress.finish()
    return totals


def _count_owned(task: EventTask) -> tuple[int, EventCounts]:
    return task.owner, count_task(task)


def count_task(task: EventTask) -> EventCounts:
    """Read, decode and count the events of one task."""
    counts, source = _nothing(task.source, task.bins), task.source
    bins, frame = task.bins, task.frame
    table = table_of(source.lookup, source.second) if source.lookup else None
    if isinstance(source, MonitorEvents):
        first = source.length_m if table else monitor_rate(source.length_m, source.second)
        alone = PixelPaths(0, np.array([[first, 1.0, 1.0, 1.0]]))
        zeros = np.zeros(_BATCH, np.int32)
        for times in source.times.batches(task.start, task.stop, rows=_BATCH):
            where = zeros[: len(times)]
            count_events(
                counts, where, times, alone, bins.wavelength, _ANY_Q, frame=frame, table=table
            )
        return counts
    paths = pixels_of(source).paths
    batches = _paired(
        source.event_id.batches(task.start, task.stop, rows=_BATCH),
        source.event_time_offset.batches(task.start, task.stop, rows=_BATCH),
    )
    for numbers, times in batches:
        count_events(counts, numbers, times, paths, bins.wavelength, bins.q, bins.qxy, frame, table)
    return counts


def _paired(
    first: Iterator[NDArray[Any]], second: Iterator[NDArray[Any]]
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Give batches of two arrays that belong together; how either is cut hangs on its chunks."""
    one, other = next(first, None), next(second, None)
    while one is not None and other is not None:
        size = min(len(one), len(other))
        yield one[:size], other[:size]
        one, other = one[size:], other[size:]
        one = one if len(one) else next(first, None)
        other = other if len(other) else next(second, None)


def _nothing(source: Bank | MonitorEvents, bins: SansBins) -> EventCounts:
    if isinstance(source, MonitorEvents):
        return no_counts(bins.wavelength, _ANY_Q, None)
    return no_counts(bins.wavelength, bins.q, bins.qxy)


def _ranges(source: Bank | MonitorEvents, per_task: int, unequal: str) -> Iterable[tuple[int, int]]:
    if isinstance(source, MonitorEvents):
        refuse_unwritten(source.times)
        events = source.times.shape[0]
        ends = np.arange(0, events, per_task)
    else:
        events = _length(source, unequal)
        ends = _pulses(source, events)
    # The last pulse that begins within each task's share; a pulse of more events stays whole.
    shares = np.arange(per_task, events, per_task)
    last = np.searchsorted(ends, shares, side="right") - 1
    cuts = np.unique(ends[last[last >= 0]])
    edges = [0, *(int(cut) for cut in cuts if 0 < cut < events), events]
    return [pair for pair in pairwise(edges) if pair[1] > pair[0]]


def refuse_unwritten(*arrays: SourceArray | None) -> None:
    """Refuse arrays that would read as zeros, which are a time and may be a pixel or a count.

    Raises
    ------
    ReductionError
        Some of one was never written.
    """
    for array in arrays:
        if array is not None and (lacking := len(array.unwritten())):
            raise ReductionError(
                f"{lacking} of {array.shape[0]} values were never written",
                where=array.path,
                next_step="ingest the whole run, and reduce that dataset",
            )


def _length(bank: Bank, unequal: str) -> int:
    refuse_unwritten(bank.event_id, bank.event_time_offset, bank.event_index)
    numbers, times = bank.event_id.shape[0], bank.event_time_offset.shape[0]
    if numbers != times and unequal == "fail":
        raise ReductionError(
            f"{times} events have a time and {numbers} a pixel: messages came without the one or "
            "the other, and which belong together is not recorded",
            where=bank.where,
            next_step="where they lack at the end, -p unequal_event_lengths=leading takes the "
            f"first {min(numbers, times)}",
        )
    return min(numbers, times)


def _pulses(bank: Bank, events: int) -> NDArray[np.int64]:
    """Give the first event of each pulse; every event may be one where none is recorded."""
    if bank.event_index is None:
        return np.arange(0, events, _BATCH)
    index = np.asarray(bank.event_index.read(), np.int64)
    total = bank.event_time_offset.shape[0]
    wrong = np.flatnonzero(np.diff(index) < 0)
    if len(wrong) or (len(index) and (index[0] < 0 or index[-1] > total)):
        at = int(wrong[0]) + 1 if len(wrong) else (0 if index[0] < 0 else len(index) - 1)
        raise ReductionError(
            f"the first event of pulse {at} is {index[at]}, which does not ascend from 0 to the "
            f"{total} events that there are",
            where=f"{bank.where}, role event_index",
            next_step="the file was damaged or written wrongly: ask the instrument",
        )
    return index
