"""Events to H(wavelength, Q): our kernel against scipp's group, convert and histogram."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import EventBins, PixelPaths, count_events, event_bins, no_counts
from hsc_benchmarks.reductions.comparing import Row, compare

_EVENTS = 8_000_000
_PIXELS = 200_000
_SOURCE_M = 23.6
_WANTED = 5.0
# h / m of the neutron in m angstrom / s (CODATA 2022), and g m² / 2h².
_RATE = 6.62607015e-34 / 1.67492750056e-27 * 1e10
_DROP = 9.80665 / (2 * _RATE**2)


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    """Events in memory, and where their pixels are."""

    numbers: NDArray[np.int32]
    times_ns: NDArray[np.int32]
    places_m: NDArray[np.float64]
    wavelength: EventBins
    q: EventBins

    def paths(self, *, gravity: bool) -> PixelPaths:
        """Give the flight paths."""
        x, y, z = self.places_m.T
        far = np.sqrt(x * x + y * y + z * z)
        rate = _RATE * 1e-9 / (_SOURCE_M + far)
        lateral = np.hypot(x, y)
        k = 4 * np.pi * lateral / np.sqrt(2 * far * (far + z))
        columns = (x, y, z) if gravity else (k, k * x / lateral, k * y / lateral)
        drop = _DROP if gravity else 0.0
        return PixelPaths(1, np.stack([rate, *columns], axis=1), drop)


def measure_events(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time the way from events in memory to counts by wavelength and Q, on one processor each."""
    del folder  # nothing is written
    with _one_processor():
        return _measure(rounds, say)


@contextmanager
def _one_processor() -> Iterator[None]:
    """Keep this thread, and those that scipp starts, on one processor, where that can be said."""
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _measure(rounds: int, say: Callable[[str], None]) -> list[Row]:
    events = _draw()
    rows = []
    for gravity in (False, True):
        paths = events.paths(gravity=gravity)
        _compare_counts(events, paths, gravity)
        rows += compare(
            f"events to H(wavelength, Q), {'with' if gravity else 'no'} gravity, per 1 M events",
            {
                "hsc": partial(_count, events, paths),
                "scipp, group + convert + hist": partial(_by_scipp, events, gravity),
            },
            units=_EVENTS // 1_000_000,
            wanted={"scipp, group + convert + hist": _WANTED},
            rounds=rounds,
            say=say,
        )
    return rows


def _draw() -> _Events:
    random = np.random.default_rng(17)
    places = np.stack(
        [*random.uniform(-0.5, 0.5, (2, _PIXELS)), random.uniform(4.9, 5.1, _PIXELS)], axis=1
    )
    return _Events(
        random.integers(1, _PIXELS + 1, _EVENTS).astype(np.int32),
        random.integers(0, 71_428_571, _EVENTS).astype(np.int32),
        places,
        event_bins(np.linspace(1, 13, 201)),
        event_bins(np.linspace(0.01, 0.3, 101)),
    )


def _count(events: _Events, paths: PixelPaths) -> NDArray[np.int64]:
    counts = no_counts(events.wavelength, events.q, None)
    count_events(counts, events.numbers, events.times_ns, paths, events.wavelength, events.q)
    return counts.radial


def _by_scipp(events: _Events, gravity: bool) -> Any:
    # An oracle of the development installation only.
    import scipp as sc
    from scippneutron.conversion.beamline import scattering_angles_with_gravity, two_theta
    from scippneutron.conversion.tof import elastic_Q_from_wavelength, wavelength_from_tof

    table = sc.DataArray(
        sc.ones(sizes={"event": len(events.numbers)}, unit="counts", dtype="float64"),
        coords={
            "pixel": sc.array(dims=["event"], values=events.numbers, unit=None),
            "tof": sc.array(dims=["event"], values=events.times_ns, unit="ns", dtype="float64"),
        },
    )
    numbers = np.arange(1, _PIXELS + 1, dtype=np.int32)
    grouped = table.group(sc.array(dims=["pixel"], values=numbers, unit=None))
    scattered = sc.vectors(dims=["pixel"], values=events.places_m, unit="m")
    beam = sc.vector([0, 0, _SOURCE_M], unit="m")
    length = sc.norm(beam) + sc.norm(scattered)
    wavelength = wavelength_from_tof(tof=grouped.bins.coords["tof"], Ltotal=length)
    if gravity:
        down = sc.vector([0, -9.80665, 0], unit="m/s^2")
        angle: Any = scattering_angles_with_gravity(beam, scattered, wavelength, down)["two_theta"]
    else:
        angle = two_theta(incident_beam=beam, scattered_beam=scattered)
    grouped.bins.coords["Q"] = elastic_Q_from_wavelength(wavelength=wavelength, two_theta=angle)
    grouped.bins.coords["wavelength"] = wavelength
    bins: dict[str, Any] = {
        "wavelength": sc.array(
            dims=["wavelength"], values=events.wavelength.edges, unit="angstrom"
        ),
        "Q": sc.array(dims=["Q"], values=events.q.edges, unit="1/angstrom"),
        "dim": "pixel",
    }
    return grouped.hist(**bins)


def _compare_counts(events: _Events, paths: PixelPaths, gravity: bool) -> None:
    ours, theirs = _count(events, paths), _by_scipp(events, gravity).values
    moved = int(np.abs(ours - theirs).sum()) // 2
    # Both round the same formula in their own order: an event on an edge may fall to either side.
    if moved > _EVENTS // 1_000_000:
        raise ReductionError(f"{moved} of {_EVENTS} events are in other bins than scipp's")
