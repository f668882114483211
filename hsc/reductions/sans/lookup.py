"""Tables of wavelengths by length of flight and time of arrival, read once by each worker."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import WavelengthTable
from hsc.reductions.base import SourceArray, SourceDataset, array_for
from hsc.reductions.sans.places import si_factor

_KEPT = 8
_EVEN = 1e-6
_ROUND = 1e-9
_lock = threading.Lock()
_kept: OrderedDict[tuple[str, float], WavelengthTable] = OrderedDict()


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A table of wavelengths. Cheap to send to a worker."""

    pid: str
    """Its dataset."""
    wavelength: SourceArray
    """(lengths, times): wavelengths; NaN where no neutron arrives."""
    variances: SourceArray | None
    """Their variances; None: not recorded."""
    lengths: SourceArray
    """Lengths of flight from the source."""
    times: SourceArray
    """Times since the pulse."""
    period_s: float
    """From pulse to pulse, as it was made for."""
    most_error: float | None
    """Where a wavelength's relative standard deviation is larger, there is none; None: any."""
    range_m: tuple[float, float] = (0.0, 0.0)
    """Shortest and longest length of flight."""
    key: str = ""
    """BLAKE3 of what decides wavelengths."""

    def covers(self, low_m: float, high_m: float) -> bool:
        """Tell whether lengths of flight lie in the table."""
        return self.range_m[0] <= low_m and high_m <= self.range_m[1]


def lookup_of(dataset: SourceDataset, most_error: float | None) -> Lookup:
    """Find and check a table of wavelengths.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Something is missing, has no unit, is uneven, or is for sources whose pulses are skipped.
    """
    pid = str(dataset.record.pid)
    period = array_for(dataset, "pulse_period", "is the time from pulse to pulse")
    stride = array_for(dataset, "pulse_stride", "tells how many pulses are one frame").scalar()
    if stride != 1:
        raise ReductionError(
            f"the table is for frames of {stride} pulses, of which one is used: which pulse of a "
            "frame an event followed is not worked out",
            where=pid,
            next_step="reduce runs in which choppers skip no pulses",
        )
    variances = "wavelength_variances"
    if most_error is not None and variances not in dataset.roles:
        array_for(dataset, variances, "is what -p table_relative_error_max=... asks for")
    found = Lookup(
        pid=pid,
        wavelength=array_for(dataset, "wavelength", "has wavelengths by length and time"),
        variances=None if most_error is None else dataset.role(variances),
        lengths=array_for(dataset, "distance", "has the lengths of flight, in m"),
        times=array_for(dataset, "event_time_offset", "has the times of arrival, in us"),
        period_s=float(period.read().ravel()[0]) * unit_value(period, "[time]^1", "us", pid),
        most_error=most_error,
    )
    table = _make(found, 1e-9)
    hashed = blake3(table.times.tobytes()).update(table.lengths_m.tobytes())
    key = hashed.update(table.products.tobytes()).hexdigest()
    far = table.lengths_m
    return replace(found, key=key, range_m=(float(far[0]), float(far[-1])))


def table_of(lookup: Lookup, second: float) -> WavelengthTable:
    """Give a table for times in a unit that is so many seconds; read where it was not kept."""
    with _lock:
        found = _kept.get((lookup.key, second))
    if found is None:
        found = _make(lookup, second)
        with _lock:
            _kept[lookup.key, second] = found
            while len(_kept) > _KEPT:
                _kept.popitem(last=False)
    return found


def unit_value(array: SourceArray, dimension: str, example: str, where: str) -> float:
    """Give the SI value of an array's unit, also of one as scipp's HDF5 files have it.

    Raises
    ------
    ParameterError
        It has none, or one of another dimension.
    """
    said = array.attributes.get("unit")
    columns = said.get("$columns") if isinstance(said, Mapping) else None
    if not columns or "multiplier" not in columns:
        return si_factor(array, dimension, example, where)
    powers = {
        name.removeprefix("powers/"): power
        for name, power in columns.items()
        if name.startswith("powers/") and power
    }
    wanted = {"[time]^1": {"s": 1}, "[length]^1": {"m": 1}}[dimension]
    return (
        float(columns["multiplier"])
        if powers == wanted
        else si_factor(array, dimension, example, where)
    )


def _make(lookup: Lookup, second: float) -> WavelengthTable:
    where = lookup.pid
    times = _axis(lookup.times, where) * _rounded(
        unit_value(lookup.times, "[time]^1", "us", where) / second
    )
    lengths = _axis(lookup.lengths, where) * unit_value(lookup.lengths, "[length]^1", "m", where)
    values = np.asarray(lookup.wavelength.read(), np.float64)
    if values.shape != (len(lengths), len(times)):
        raise ReductionError(
            f"the table has the shape {values.shape} for {len(lengths)} lengths of flight and "
            f"{len(times)} times",
            where=where,
            next_step="write it again with ess.reduce: distance first, then event_time_offset",
        )
    angstrom = _rounded(unit_value(lookup.wavelength, "[length]^1", "angstrom", where) * 1e10)
    # A product first, as ess.reduce has it: between the points it is what is linear.
    products = values * angstrom * lengths[:, None]
    if lookup.variances is not None and lookup.most_error is not None:
        spread = np.sqrt(np.asarray(lookup.variances.read(), np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            products[spread / values > lookup.most_error] = np.nan
    return WavelengthTable(times, lengths, products)


def _axis(array: SourceArray, where: str) -> NDArray[np.float64]:
    axis = np.asarray(array.read(), np.float64).ravel()
    steps = np.diff(axis)
    if len(axis) < 2 or not (steps > 0).all() or np.ptp(steps) > _EVEN * abs(steps[0]):
        raise ReductionError(
            f"{array.path} is no even grid of two points or more",
            where=where,
            next_step="make the table with ess.reduce.unwrap, whose grids are even",
        )
    return axis


def _rounded(factor: float) -> float:
    """Give the whole number that a ratio of units is but for its rounding."""
    whole = round(factor)
    return float(whole) if abs(factor - whole) <= _ROUND * factor else factor
