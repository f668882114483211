"""A run's banks, monitors and frame, found by roles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import PulseFrame
from hsc.reductions.base import SourceArray, SourceDataset, array_for
from hsc.reductions.sans.flight import Flight, flight_of
from hsc.reductions.sans.lookup import Lookup
from hsc.reductions.sans.monitors import Monitor, monitor_of
from hsc.reductions.sans.parameters import SansParameters
from hsc.reductions.sans.pixels import Bank, PixelSettings, bank_of
from hsc.reductions.sans.places import Beam, beam_of


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
    flight: Flight
    """What is known of its pulses and choppers."""

    def frame(self, second: float) -> PulseFrame:
        """Give how times in a unit, which is so many seconds, are taken."""
        return self.flight.frame(second)

    def geometry(self) -> str:
        """Give a name of all pixels' flight paths and solid angles, alike for like ones."""
        return " ".join(bank.key for bank in self.banks)

    def refuse_overlap(self, parameters: SansParameters) -> None:
        """Refuse wavelengths that can't be told from those of another pulse.

        Raises
        ------
        ReductionError
            There are such.
        """
        lengths = {f"the bank {bank.name or 'that there is'}": bank.farthest_m
                   for bank in self.banks if bank.farthest_m}  # fmt: skip
        lengths["the monitor before the sample"] = self.incident.length_m
        if self.transmitted is not None:
            lengths["the monitor behind the sample"] = self.transmitted.length_m
        for what, length in lengths.items():
            self.flight.refuse_overlap(parameters, length, what)


def scattering_run(
    dataset: SourceDataset,
    parameters: SansParameters,
    mask: SourceDataset | None,
    *,
    transmitted: bool,
    lookups: tuple[Lookup, ...] = (),
) -> EventRun:
    """Find the banks and monitors of a run.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Something is missing, ambiguous or impossible.
    """
    beam = beam_of(dataset, gravity=parameters.gravity)
    flight = flight_of(dataset, parameters, lookups)
    ends = _bank_ends(dataset, parameters)
    masks = _masks(dataset, ends, mask)
    settings = PixelSettings(
        parameters.gravity,
        (parameters.beam_center_x_m, parameters.beam_center_y_m),
        parameters.masked_numbers(),
    )
    banks = tuple(bank_of(dataset, end, beam, masks.get(end), settings, flight) for end in ends)
    _refuse_unknown(settings, banks)
    return _run(dataset, parameters, beam, banks, flight, transmitted)


def transmission_run(
    dataset: SourceDataset, parameters: SansParameters, lookups: tuple[Lookup, ...] = ()
) -> EventRun:
    """Find the monitors of a run; errors are as those of `scattering_run`."""
    beam = beam_of(dataset, gravity=parameters.gravity)
    return _run(dataset, parameters, beam, (), flight_of(dataset, parameters, lookups), True)


def _run(
    dataset: SourceDataset,
    parameters: SansParameters,
    beam: Beam,
    banks: tuple[Bank, ...],
    flight: Flight,
    transmitted: bool,
) -> EventRun:
    behind = None
    if transmitted:
        behind = monitor_of(dataset, parameters, beam, flight, "transmission")
    incident = monitor_of(dataset, parameters, beam, flight, "incident")
    return EventRun(dataset, banks, incident, behind, flight)


def _refuse_unknown(settings: PixelSettings, banks: tuple[Bank, ...]) -> None:
    """Refuse masked numbers that no pixel has: a slip of the pen would mask nothing."""
    lacking = set(settings.masked)
    for bank in banks if lacking else ():
        numbers = np.asarray(bank.numbers.read())
        lacking -= {one for one in lacking if ((numbers >= one[0]) & (numbers <= one[1])).any()}
    if lacking:
        low, high = min(lacking)
        raise ParameterError(
            f"masked_detector_numbers has {low}-{high}, and no pixel has such a number",
            where=banks[0].where,
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
