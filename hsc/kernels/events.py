"""Neutron events to histograms over wavelength and Q: exact bins, integer counts, one pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError
from hsc.kernels.event_loops import count, values_of, weigh

_CELLS_PER_BIN = 4
_MOST_CELLS = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class EventBins:
    """Right-open bins and, for each cell of a fine even grid over them, the bin to begin with."""

    edges: NDArray[np.float64]
    """(bins + 1,): strictly increasing."""
    bordered: NDArray[np.float64]
    """(bins + 3,): the edges between -inf and NaN."""
    begin: NDArray[np.int32]
    """(cells + 2,): bin of each cell's lower end, counted from 1; a cell more at each end."""
    cells_per_unit: float
    """Cells of the grid per unit of the edges."""
    even: bool
    """Whether no cell has two edges."""
    step: float
    """From edge to edge where all but the last are the first + i step to the last bit; else 0."""

    @property
    def count(self) -> int:
        """How many bins."""
        return len(self.edges) - 1

    @property
    def parts(self) -> tuple[NDArray[np.float64], NDArray[np.int32], float, bool, float]:
        """What the kernels take."""
        return self.bordered, self.begin, self.cells_per_unit, self.even, self.step


@dataclass(frozen=True, slots=True, eq=False)
class PixelPaths:
    """Flight paths of a bank's pixels, by detector number."""

    first: int
    """Detector number of the first row."""
    table: NDArray[np.float64]
    """(numbers, 4): wavelength per unit of time in angstrom, or with a table of wavelengths the
    length of flight in m (NaN: no pixel, or a masked one), then with gravity x, y, z from the
    sample in m, without it 4π sin θ and its parts along x and y."""
    drop: float = 0.0
    """How far neutrons fall, per squared length of flight from the sample and squared wavelength:
    g m² / 2h² in 1/(m angstrom²); 0: they fly straight."""
    front: NDArray[np.float64] = field(init=False, repr=False)
    """(numbers, 2) without gravity: as much of the table as Q hangs on, where events that come in
    no order find more of it in the processor's cache; else the table."""

    def __post_init__(self) -> None:
        """Part off what Q hangs on."""
        part = self.table if self.drop else np.ascontiguousarray(self.table[:, :2])
        object.__setattr__(self, "front", part)


@dataclass(frozen=True, slots=True)
class PulseFrame:
    """Where a source's period is cut: times are taken modulo the period."""

    period: float = 0.0
    """Time from pulse to pulse in the unit of the events; 0: times are taken as they are."""
    shortest: float = 0.0
    """The shortest wavelength that reaches a detector within its frame, angstrom."""


@dataclass(frozen=True, slots=True, eq=False)
class WavelengthTable:
    """Wavelengths by time of arrival and length of flight, as choppers sort neutrons.

    Both axes are even; between their points wavelength x length is linear in each.
    """

    times: NDArray[np.float64]
    """(columns,): times since the pulse, in the unit of the events."""
    lengths_m: NDArray[np.float64]
    """(rows,): lengths of flight from the source, m."""
    products: NDArray[np.float64]
    """(rows, columns): wavelength x length, angstrom m; NaN where no neutron arrives."""

    @property
    def parts(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """What the kernels take."""
        return self.times, self.lengths_m, self.products


_NO_TABLE = WavelengthTable(np.zeros(0), np.zeros(0), np.zeros((0, 0)))


@dataclass(frozen=True, slots=True, eq=False)
class EventCounts:
    """What events add up to; parts are added, in any order."""

    radial: NDArray[np.int64]
    """(wavelength, Q): events."""
    flat: NDArray[np.int64]
    """(Qy, Qx): events whose wavelength is in range."""
    left_out: NDArray[np.int64]
    """(4,): events of unknown pixels, of masked ones, out of range in wavelength, in Q."""

    def __add__(self, other: EventCounts) -> EventCounts:
        """Add the counts of other events."""
        return EventCounts(
            self.radial + other.radial, self.flat + other.flat, self.left_out + other.left_out
        )


def event_bins(edges: NDArray[Any]) -> EventBins:
    """Make bins of their edges.

    Raises
    ------
    ParameterError
        There are fewer than two edges, or they are not finite and increasing.

    Examples
    --------
    >>> event_bins(np.array([0.0, 1.0, 4.0])).begin.tolist()
    [0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    edges = np.ascontiguousarray(edges, np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.isfinite(edges).all()):
        raise ParameterError(f"edges of bins must be two finite numbers or more: {edges!r}")
    if not (np.diff(edges) > 0).all():
        raise ParameterError(f"edges of bins must increase: {edges!r}")
    count, width = len(edges) - 1, float(edges[-1] - edges[0])
    cells = int(min(_CELLS_PER_BIN * width / float(np.diff(edges).min()), _MOST_CELLS))
    lower = edges[0] + width / cells * np.arange(cells)
    place = np.clip(np.searchsorted(edges, lower, side="right"), 1, count)
    begin = np.concatenate([[0], place, [count]]).astype(np.int32)
    bordered = np.concatenate([[-np.inf], edges, [np.nan]])
    # Where bins are as wide as some cells, none needs more than one step up or down.
    step = width / count
    # As np.linspace makes them.
    linear = np.array_equal(edges[:-1], edges[0] + step * np.arange(count))
    even = cells < _MOST_CELLS
    return EventBins(edges, bordered, begin, cells / width, even, step if linear else 0.0)


def no_counts(wavelength: EventBins, q: EventBins, qxy: EventBins | None) -> EventCounts:
    """Give counts of no event."""
    side = qxy.count if qxy else 0
    return EventCounts(
        np.zeros((wavelength.count, q.count), np.int64),
        np.zeros((side, side), np.int64),
        np.zeros(4, np.int64),
    )


def count_events(
    into: EventCounts,
    event_id: NDArray[Any],
    event_time_offset: NDArray[Any],
    paths: PixelPaths,
    wavelength: EventBins,
    q: EventBins,
    qxy: EventBins | None = None,
    frame: PulseFrame = PulseFrame(),
    table: WavelengthTable | None = None,
) -> None:
    """Add events to counts, in place.

    An event of time t counts at wavelength λ = rate t and at Q = 4π sin θ / λ. With gravity the
    angle is that of the flight towards (x, y + drop λ² L², z) (Seeger & Hjelm, J. Appl. Cryst.
    24, 467, 1991), with sin² θ = r² / (2 d (d + z)), r² = x² + y², d² = r² + z², which loses no
    digits at small angles. A bin takes its lower edge and not its upper one.

    Parameters
    ----------
    into
        The counts.
    event_id, event_time_offset
        (n,): detector number and time of each event; integers, or floats for the time.
    paths
        The bank's flight paths, times in the events' unit.
    wavelength, q, qxy
        Bins in angstrom, 1/angstrom, and for Qx and Qy alike 1/angstrom; None: not wanted.
    frame
        How times beyond a period are taken.
    table
        Wavelengths by time and length of flight; None: λ = rate t. An event for which it has none
        is out of range in wavelength.

    Raises ParameterError where numbers and times are not as many.
    """
    _refuse_unpaired(event_id, event_time_offset)
    radial = np.zeros((wavelength.count + 2, q.count + 2), np.int64)
    side = qxy.count if qxy else 0
    flat = np.zeros((side + 2, side + 2), np.int64)
    unknown, lost = count(
        event_id,
        event_time_offset,
        paths.first,
        paths.front if qxy is None else paths.table,
        paths.drop,
        frame.period,
        frame.shortest,
        (table or _NO_TABLE).parts,
        wavelength.parts,
        q.parts,
        (qxy or q).parts,
        radial,
        flat,
    )
    into.radial[...] += radial[1:-1, 1:-1]
    into.flat[...] += flat[1:-1, 1:-1]
    within = int(radial[1:-1].sum())
    besides = within - int(radial[1:-1, 1:-1].sum())
    into.left_out[...] += [unknown, lost - unknown, len(event_id) - within - lost, besides]


def _refuse_unpaired(event_id: NDArray[Any], event_time_offset: NDArray[Any]) -> None:
    if len(event_id) != len(event_time_offset):
        raise ParameterError(
            f"{len(event_id)} events have a pixel and {len(event_time_offset)} a time"
        )


def event_values(
    event_id: NDArray[Any],
    event_time_offset: NDArray[Any],
    paths: PixelPaths,
    frame: PulseFrame = PulseFrame(),
    table: WavelengthTable | None = None,
) -> NDArray[np.float64]:
    """Give wavelength, Q, Qx and Qy of each event as `count_events` bins them: (4, n).

    NaN for events of masked and unknown pixels; a wavelength of 0 where a table has none.
    """
    values = np.empty((4, len(event_id)))
    values_of(
        event_id,
        event_time_offset,
        paths.first,
        paths.table,
        paths.drop,
        frame.period,
        frame.shortest,
        (table or _NO_TABLE).parts,
        values,
    )
    return values


def weigh_pixels(
    paths: PixelPaths,
    weights: NDArray[np.float64],
    wavelengths: NDArray[np.float64],
    q: EventBins,
    radial: NDArray[np.float64],
    qxy: EventBins | None = None,
    flat: NDArray[np.float64] | None = None,
) -> None:
    """Add each pixel's weight to its bins of Q at each wavelength, in ascending order of pixels.

    Parameters
    ----------
    paths
        The bank's flight paths.
    weights
        (numbers,): weight of each row of the table, such as its solid angle.
    wavelengths
        (m,): angstrom.
    q, qxy
        Bins of Q, and of Qx and Qy alike, 1/angstrom; None: not wanted.
    radial, flat
        (m, Q) and (m, Qy, Qx): what is added to, in place.
    """
    none = np.zeros((len(wavelengths), 0, 0))
    plane = none if flat is None or qxy is None else flat
    weigh(paths.table, weights, paths.drop, wavelengths, q.parts, (qxy or q).parts, radial, plane)
