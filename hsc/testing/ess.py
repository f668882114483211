"""Event files as ESS's file writer lays them out: pulses, banks, monitors, places by depends_on.

One group of NXevent_data for each detector and monitor, as the writer's module for event messages
(ev44) makes them: chunked arrays without filters that may grow, times since the pulse in ns,
``event_index`` of 64 bits, and no entry for a pulse without events. Messages of monitors carry no
pixel numbers, so that their ``event_id`` stays shorter than ``event_time_offset``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from hsc.testing.ess_model import (
    RATE_M_ANGSTROM_PER_S,
    EventRun,
    EventSansModel,
    StrawBank,
)

_EPOCH = "1970-01-01T00:00:00Z"
_BEGIN_NS = 1_777_881_600_000_000_000  # 2026-05-04T08:00:00Z
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class RecordedEvents:
    """Events as they are recorded, by pulse."""

    number: NDArray[np.int32]
    """(n,): detector number of each; empty for a monitor."""
    time_ns: NDArray[np.int32]
    """(n,): time since the pulse."""
    index: NDArray[np.int64]
    """(pulses,): first event of each pulse that has any."""
    pulse_ns: NDArray[np.uint64]
    """(pulses,): time of each such pulse."""

    def part(self, start: int, stop: int) -> RecordedEvents:
        """Give the events of the pulses [start, stop) of those recorded."""
        ends = np.append(self.index, len(self.time_ns))
        events = slice(ends[start], ends[stop])
        return RecordedEvents(
            self.number[events],
            self.time_ns[events],
            self.index[start:stop] - ends[start],
            self.pulse_ns[start:stop],
        )


@dataclass(frozen=True, slots=True)
class EventMeasurement:
    """All events of a run."""

    model: EventSansModel
    """What scatters and counts."""
    what: EventRun
    """What is in the beam."""
    banks: tuple[RecordedEvents, ...]
    """Events of each bank; none for runs that measure transmission."""
    monitors: tuple[RecordedEvents, RecordedEvents]
    """Events of the incident and of the transmission monitor."""

    def halves(self) -> tuple[EventMeasurement, EventMeasurement]:
        """Cut it in two by pulses, as if it had been stopped and begun anew."""
        parts = [
            replace(
                self,
                banks=tuple(_half(each, second) for each in self.banks),
                monitors=(_half(self.monitors[0], second), _half(self.monitors[1], second)),
            )
            for second in (False, True)
        ]
        return parts[0], parts[1]


def measure_events(
    model: EventSansModel, what: EventRun, *, pulses: int = 500, seed: int = 0
) -> EventMeasurement:
    """Draw the events of a run; the same seed gives the same ones.

    Parameters
    ----------
    model
        What scatters and counts.
    what
        What is in the beam.
    pulses
        Pulses of the source; every seventh has no events and is not recorded.
    seed
        Decides all draws.
    """
    random = np.random.default_rng([seed, sum(map(ord, what))])
    banks: tuple[RecordedEvents, ...] = ()
    if what in ("sample", "cell"):
        banks = tuple(_bank_events(model, bank, what, pulses, random) for bank in model.banks)
    incident = model.incident()
    # The transmission monitor counts two neutrons where the other counts one.
    counts = (incident, 2 * incident * model.transmission(what))
    monitors = tuple(
        _recorded(
            np.zeros(0, np.int32),
            _times(model, random, random.poisson(each), place - model.source_m),
            pulses,
            random,
            model.period_s,
        )
        for each, place in zip(counts, model.monitors_m, strict=True)
    )
    return EventMeasurement(model, what, banks, (monitors[0], monitors[1]))


def write_event_file(
    path: Path, measured: EventMeasurement, *, surplus_ids: int = 0, proposal: str = "443503"
) -> Path:
    """Write a run's file.

    Parameters
    ----------
    path
        The file to make.
    measured
        Its events.
    surplus_ids
        How many more pixel numbers than times a bank has, or with a minus fewer.
    proposal
        Written where NeXus puts it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "x") as file:
        entry = _group(file, "entry", "NXentry")
        entry["title"] = f"{measured.what} of spheres"
        entry["definition"] = "NXsas"
        entry["start_time"] = "2026-05-04T08:00:00Z"
        entry["experiment_identifier"] = proposal
        sample = _group(entry, "sample", "NXsample")
        sample["name"] = measured.what
        sample["depends_on"] = "."
        instrument = _group(entry, "instrument", "NXinstrument")
        instrument["name"] = "LOKI"
        source = _group(instrument, "source", "NXsource")
        source["probe"] = "neutron"
        _number(source, "frequency", 1 / measured.model.period_s, "Hz")
        _placed(source, 0.0, 0.0, measured.model.source_m)
        for name, place, events in zip(
            ("monitor_1", "monitor_2"), measured.model.monitors_m, measured.monitors, strict=True
        ):
            monitor = _group(instrument, name, "NXmonitor")
            _placed(monitor, 0.0, 0.0, place)
            _events(monitor, f"{name}_events", events, 0)
        for bank, events in zip(measured.model.banks, measured.banks, strict=bool(measured.banks)):
            _bank(instrument, bank, events, surplus_ids)
    return path


def _half(events: RecordedEvents, second: bool) -> RecordedEvents:
    pulses = len(events.index)
    return events.part(pulses // 2, pulses) if second else events.part(0, pulses // 2)


def _bank_events(
    model: EventSansModel, bank: StrawBank, what: str, pulses: int, random: np.random.Generator
) -> RecordedEvents:
    counts = random.poisson(model.expected(bank, what))
    pixel, step = np.nonzero(counts)
    pixel, step = (np.repeat(each, counts[pixel, step]) for each in (pixel, step))
    length = np.linalg.norm(bank.positions_m(), axis=1)[pixel] - model.source_m
    middle, width = model.grid()
    wavelength = middle[step] + width * random.uniform(-0.5, 0.5, len(step))
    times = wavelength * length / RATE_M_ANGSTROM_PER_S
    return _recorded((bank.first + pixel).astype(np.int32), times, pulses, random, model.period_s)


def _times(
    model: EventSansModel, random: np.random.Generator, counts: NDArray[np.int64], length_m: float
) -> NDArray[np.float64]:
    middle, width = model.grid()
    step = np.repeat(np.arange(len(counts)), counts)
    wavelength = middle[step] + width * random.uniform(-0.5, 0.5, len(step))
    return np.asarray(wavelength * length_m / RATE_M_ANGSTROM_PER_S)


def _recorded(
    numbers: NDArray[np.int32],
    times_s: NDArray[np.float64],
    pulses: int,
    random: np.random.Generator,
    period_s: float,
) -> RecordedEvents:
    """Put events into pulses; a slow neutron arrives when later pulses have left already."""
    beating = np.setdiff1d(np.arange(pulses), np.arange(0, pulses, 7))
    pulse = np.sort(random.choice(beating, len(times_s)))
    order = random.permutation(len(times_s))
    times = np.rint(times_s[order] % period_s * 1e9).astype(np.int32)
    found, index = np.unique(pulse, return_index=True)
    return RecordedEvents(
        numbers[order] if len(numbers) else numbers,
        times,
        index.astype(np.int64),
        (_BEGIN_NS + np.rint(found * period_s * 1e9).astype(np.int64)).astype(np.uint64),
    )


def _bank(instrument: h5py.Group, bank: StrawBank, events: RecordedEvents, surplus: int) -> None:
    group = _group(instrument, bank.name, "NXdetector")
    shape = (bank.straws, bank.pixels)
    group["detector_number"] = np.arange(
        bank.first, bank.first + bank.count, dtype=np.int32
    ).reshape(shape)
    for name, values in zip(("x", "y"), bank.offsets_m(), strict=True):
        _number(group, f"{name}_pixel_offset", values, "m")
    pixel = _group(group, "pixel_shape", "NXcylindrical_geometry")
    half = bank.pitch_m / 2
    corners = [[-half, 0, 0], [-half, bank.radius_m, 0], [half, 0, 0]]
    _number(pixel, "vertices", np.array(corners), "m")
    pixel["cylinders"] = np.array([[0, 1, 2]], np.int32)
    steps = _group(group, "transformations", "NXtransformations")
    _step(steps, "distance", "translation", bank.distance_m, "m", (0, 0, 1), "turn")
    _step(steps, "turn", "rotation", bank.angle_deg, "deg", (0, 1, 0), ".")
    group["depends_on"] = "transformations/distance"
    _events(group, f"{bank.name}_events", events, len(events.number) + surplus)


def _events(group: h5py.Group, name: str, events: RecordedEvents, ids: int) -> None:
    made = _group(group, name, "NXevent_data")
    numbers = np.resize(events.number, ids) if len(events.number) else events.number
    for key, values, units in (
        ("event_id", numbers, None),
        ("event_time_offset", events.time_ns, "ns"),
        ("event_index", events.index, None),
        ("event_time_zero", events.pulse_ns, "ns"),
        ("cue_index", np.zeros(0, np.int64), None),
    ):
        array = made.create_dataset(key, data=values, maxshape=(None,), chunks=(_CHUNK,))
        if units:
            array.attrs["units"] = units
    made["event_time_zero"].attrs["start"] = _EPOCH


def _placed(group: h5py.Group, x: float, y: float, z: float) -> None:
    steps = _group(group, "transformations", "NXtransformations")
    length = float(np.linalg.norm((x, y, z)))
    vector = (x / length, y / length, z / length) if length else (0.0, 0.0, 1.0)
    _step(steps, "place", "translation", length, "m", vector, ".")
    group["depends_on"] = f"{steps.name}/place"


def _step(
    group: h5py.Group,
    name: str,
    kind: str,
    value: float,
    units: str,
    vector: tuple[float, float, float],
    after: str,
) -> None:
    _number(group, name, value, units)
    group[name].attrs["transformation_type"] = kind
    group[name].attrs["vector"] = np.array(vector, np.float64)
    group[name].attrs["depends_on"] = after


def _group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    made = parent.create_group(name)
    made.attrs["NX_class"] = nx_class
    return made


def _number(group: h5py.Group, name: str, value: object, units: str) -> None:
    group[name] = value
    group[name].attrs["units"] = units
