"""A run's banks, monitors and frame, found by roles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsc.errors import ParameterError, ReductionError, RoleMissingError
from hsc.kernels import PulseFrame
from hsc.model import Quantity
from hsc.reductions.base import SourceArray, SourceDataset, array_for
from hsc.reductions.sans.counting import MonitorEvents, monitor_rate
from hsc.reductions.sans.parameters import SansParameters
from hsc.reductions.sans.pixels import Bank, bank_of
from hsc.reductions.sans.places import Beam, beam_of, component_place, si_factor
from hsc.reductions.sans.spectrum import MonitorCounts

Monitor = MonitorEvents | MonitorCounts


@dataclass(frozen=True, slots=True, eq=False)
class EventRun:
    """A run of scattering, or one that measures transmission."""

    dataset: SourceDataset
    """The dataset."""
    banks: tuple[Bank, ...]
    """Its detectors; none where only monitors are looked at."""
    incident: Monitor
    """The monitor before the sample."""
    transmitted: Monitor | None
    """The monitor behind the sample; None: not looked for."""
    period_s: float
    """From pulse to pulse; 0: times are taken as they are."""
    shortest_angstrom: float
    """The shortest wavelength in a frame."""

    def frame(self, second: float) -> PulseFrame:
        """Give how times in a unit, which is so many seconds, are taken."""
        return PulseFrame(self.period_s / second, self.shortest_angstrom)

    def geometry(self) -> str:
        """Give a name of all pixels' flight paths and solid angles, alike for like ones."""
        return " ".join(bank.key for bank in self.banks)


def scattering_run(
    dataset: SourceDataset,
    parameters: SansParameters,
    mask: SourceDataset | None,
    *,
    transmitted: bool,
) -> EventRun:
    """Find the banks and monitors of a run.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Something is missing, ambiguous or impossible.
    """
    beam = beam_of(dataset, gravity=parameters.gravity)
    ends = _bank_ends(dataset, parameters)
    masks = _masks(dataset, ends, mask)
    banks = tuple(bank_of(dataset, end, beam, masks.get(end), parameters.gravity) for end in ends)
    return _run(dataset, parameters, beam, banks, transmitted)


def transmission_run(dataset: SourceDataset, parameters: SansParameters) -> EventRun:
    """Find the monitors of a run; errors are as those of `scattering_run`."""
    beam = beam_of(dataset, gravity=parameters.gravity)
    return _run(dataset, parameters, beam, (), True)


def _run(
    dataset: SourceDataset,
    parameters: SansParameters,
    beam: Beam,
    banks: tuple[Bank, ...],
    transmitted: bool,
) -> EventRun:
    return EventRun(
        dataset,
        banks,
        _monitor(dataset, beam, parameters.incident_monitor, "incident"),
        _monitor(dataset, beam, parameters.transmission_monitor, "transmission")
        if transmitted
        else None,
        *_frame(dataset, parameters),
    )


def _bank_ends(dataset: SourceDataset, parameters: SansParameters) -> list[str]:
    role = "event_time_offset"
    ends = sorted(
        name.removeprefix(role)
        for name in dataset.roles
        if name == role or name.startswith(f"{role}@")
    )
    if not ends:
        array_for(dataset, role, "has the time of each event since its pulse, in ns")
    wanted = parameters.wanted_banks()
    names = [_bank_name(dataset, end) for end in ends]
    absent = [name for name in wanted if name not in names]
    if absent:
        raise ParameterError(
            f"there is no bank {absent[0]!r}",
            where=str(dataset.record.pid),
            next_step=f"its banks are {', '.join(names)}",
        )
    return [end for end, name in zip(ends, names, strict=True) if not wanted or name in wanted]


def _bank_name(dataset: SourceDataset, end: str) -> str:
    if end:
        return end.removeprefix("@")
    numbers = dataset.roles.get("detector_number", "")
    return numbers.split("/")[-2] if numbers.count("/") > 1 else ""


def _masks(
    dataset: SourceDataset, ends: list[str], mask: SourceDataset | None
) -> dict[str, tuple[SourceArray, int]]:
    """Say where in the mask each bank's pixels begin: banks in the order of their numbers."""
    if mask is None:
        return {}
    array = array_for(mask, "pixel_mask", "is the mask given")
    first: dict[str, tuple[int, int]] = {}
    for end in ends:
        numbers = np.asarray(array_for(dataset, f"detector_number{end}", "numbers pixels").read())
        first[end] = int(numbers.min()), numbers.size
    total, size = sum(count for _, count in first.values()), int(np.prod(array.shape))
    if total != size:
        raise ReductionError(
            f"the mask has {size} pixels, the banks that are taken {total}",
            where=f"{mask.record.pid}, {array.path}",
            next_step="give a mask of all their pixels, banks in the order of their numbers",
        )
    starts, start = {}, 0
    for end in sorted(ends, key=lambda each: first[each]):
        starts[end] = (array, start)
        start += first[end][1]
    return starts


def _monitor(dataset: SourceDataset, beam: Beam, wanted: str | None, what: str) -> Monitor:
    names = sorted(r.removeprefix("monitor@") for r in dataset.roles if r.startswith("monitor@"))
    places = {name: component_place(dataset, "monitor", name) for name in names}
    side = -1 if what == "incident" else 1
    found = [
        name
        for name, place in places.items()
        if side * float((place - beam.sample) @ beam.axes[2]) > 0
    ]
    if wanted is not None:
        found = [wanted] if wanted in names else []
    if len(found) != 1:
        sought = "before the sample" if what == "incident" else "behind the sample"
        raise RoleMissingError(
            f"{len(found)} monitors are {sought}"
            if wanted is None
            else f"there is no monitor {wanted!r}",
            where=f"{dataset.record.pid}, roles monitor@...",
            next_step=f"name one: -p {what}_monitor=...; there are {', '.join(names) or 'none'}",
        )
    length = float(np.sqrt(((places[found[0]] - beam.source) ** 2).sum()))
    return _counted(dataset, found[0], length)


def _counted(dataset: SourceDataset, name: str, length_m: float) -> Monitor:
    array = dataset.role(f"monitor@{name}")
    where = f"{dataset.record.pid}, {array.path}"
    role = f"monitor_time_of_flight@{name}"
    if role not in dataset.roles:
        second = si_factor(array, "[time]^1", "ns", where)
        return MonitorEvents(array, monitor_rate(length_m, second), second)
    axis = dataset.role(role)
    times = np.asarray(axis.read(), np.float64).ravel()
    counts = np.asarray(array.read()).ravel()
    if len(times) != len(counts) + 1 or counts.dtype.kind not in "uif":
        raise ReductionError(
            f"{len(counts)} counts with {len(times)} times of flight; edges of bins are needed, "
            "one more than counts",
            where=where,
        )
    rate = monitor_rate(length_m, si_factor(axis, "[time]^1", "us", f"{where}, role {role}"))
    return MonitorCounts(rate * times, counts.astype(np.float64), where)


def _frame(dataset: SourceDataset, parameters: SansParameters) -> tuple[float, float]:
    shortest = parameters.frame_shortest_wavelength_angstrom
    if shortest is None:
        return 0.0, 0.0
    if parameters.pulse_period_s is not None:
        return parameters.pulse_period_s, shortest
    array = array_for(
        dataset,
        "source_frequency",
        "tells how often the source pulses, in Hz, where -p pulse_period_s=... does not",
    )
    value = array.scalar()
    si = Quantity(
        value=float(value) if not isinstance(value, str) else np.nan,
        unit=str(array.attributes.get("units") or "?"),
    ).si()
    if si is None or si[1] != "[time]^-1" or not si[0] > 0:
        raise ParameterError(
            f"source_frequency is {value!r} {array.attributes.get('units')!r}, which is no "
            "frequency in Hz",
            where=f"{dataset.record.pid}, {array.path}",
            next_step="give -p pulse_period_s=...",
        )
    return 1 / si[0], shortest
