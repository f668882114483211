"""Runs as European XFEL's data acquisition lays them out: a file per module and sequence.

Format 1.2 of the facility's data format, with the details that EXtra-data's mock files show:
one HDF5 chunk per image, counts and trains padded with zeros to whole chunks, no filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

_PAD = 8


@dataclass(frozen=True, slots=True)
class ExfelRun:
    """What the files of one run say about it."""

    proposal: int = 700000
    """Number of the proposal."""
    run: int = 12
    """Number of the run."""
    kind: str = "RAW"
    """``RAW`` or ``CORR``."""
    detector: str = "SPB_DET_AGIPD1M-1"
    """Name of the detector; its first word is the instrument's."""
    aggregator: str = "AGIPD"
    """What writes a module's files, without the module's number."""
    source: str = "DET/{module}CH0:xtdf/image/data"
    """A module's images, below the detector's name: its device, channel and key."""
    modules: Sequence[int] = tuple(range(16))
    """Modules that write files."""
    sequences: Sequence[Sequence[int]] = ((10000, 10001, 10002), (10003, 10004))
    """Trains of each file in a module's sequence."""
    lost: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """Trains that a module has not."""
    shape: tuple[int, int] = (16, 8)
    """Rows and columns of a module."""
    sample: str = "No Sample"
    """Name of the sample."""
    created: str = "20260504T080000Z"
    """When the files were begun, UTC."""
    pulses: int = 2
    """Pulses of a train; pulse p lies in memory cell p."""
    planes: int = 1
    """Pictures that a module has of a pulse: 2 of detectors that write a word for the gain."""
    picture: Callable[[int, int, int], NDArray[Any]] | None = None
    """Gives what a module has of a train's pulse, (planes, rows, columns); None: `exfel_image`."""


def write_exfel_run(folder: Path, run: ExfelRun) -> list[Path]:
    """Write a run's files; give them by name.

    Module m of train t and pulse p counts ``exfel_image(run, m, t, p)`` in each pixel, unless the
    run has pictures of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for module in run.modules:
        for sequence, trains in enumerate(run.sequences):
            name = f"{run.kind}-R{run.run:04}-{run.aggregator}{module:02}-S{sequence:05}.h5"
            there = [train for train in trains if train not in run.lost.get(module, ())]
            with h5py.File(folder / name, "x") as file:
                _metadata(file, run, sequence)
                _module(file, run, module, there)
            written.append(folder / name)
    return sorted(written)


def exfel_image(run: ExfelRun, module: int, train: int, pulse: int) -> NDArray[np.uint16]:
    """Give the image that a module has of a pulse."""
    pixels = np.arange(np.prod(run.shape), dtype=np.uint16).reshape(run.shape)
    return pixels + np.uint16(1000 * (module % 16) + 10 * (train % 100) + pulse)


def _picture(run: ExfelRun, module: int, train: int, pulse: int) -> NDArray[Any]:
    if run.picture is None:
        return exfel_image(run, module, train, pulse)
    return run.picture(module, train, pulse)


def _metadata(file: Any, run: ExfelRun, sequence: int) -> None:
    group = file.create_group("METADATA")
    for name, text in (
        ("creationDate", run.created),
        ("dataFormatVersion", "1.2"),
        ("sample", run.sample),
    ):
        group.create_dataset(name, data=[text.encode()], dtype=h5py.string_dtype("ascii"))
    for name, number in (
        ("proposalNumber", run.proposal),
        ("runNumber", run.run),
        ("sequenceNumber", sequence),
    ):
        group.create_dataset(name, data=np.array([number], np.uint32))


def _module(file: Any, run: ExfelRun, module: int, trains: Sequence[int]) -> None:
    path = f"{run.detector}/{run.source.format(module=module)}"
    per_train = run.pulses
    source, _, key = path.rpartition("/")
    count = len(trains)
    file["INDEX/trainId"] = _padded(np.array(trains, np.uint64))
    file[f"INDEX/{source}/first"] = np.arange(count, dtype=np.uint64) * per_train
    file[f"INDEX/{source}/count"] = np.full(count, per_train, np.uint64)
    group = file.create_group(f"INSTRUMENT/{source}")
    pulses = range(per_train)
    images = [_picture(run, module, train, pulse) for train in trains for pulse in pulses]
    frames = count * per_train
    group.create_dataset(
        key,
        data=np.array(images, np.uint16).reshape(frames, run.planes, *run.shape),
        maxshape=(None, run.planes, *run.shape),
        chunks=(1, run.planes, *run.shape),
    )
    group["trainId"] = np.repeat(np.array(trains, np.uint64), per_train)[:, None]
    group["pulseId"] = np.tile(np.array(pulses, np.uint64), count)[:, None]
    group["cellId"] = np.tile(np.array(pulses, np.uint16), count)[:, None]


def _padded(trains: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.concatenate([trains, np.zeros(-len(trains) % _PAD, np.uint64)])
