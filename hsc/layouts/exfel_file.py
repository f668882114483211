"""One file of a European XFEL run: what its name says, its METADATA, and its image sources.

The file format is described in European XFEL's "Data format" (EXtra-data documentation,
``docs/data_format.rst``), versions 0.5 to 1.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import h5py
import numpy as np

from hsc.hdf5 import SourceTree, decode_text, inside

_NAME = re.compile(r"([A-Z]+)-R(\d{4,})-([^-/]+)-S(\d{5,})\.h5")
# Images by their key in a source: of detectors with a train of pulses, of JUNGFRAU, of cameras.
_IMAGES = re.compile(
    r"/INSTRUMENT/(?P<source>[^:]+:[^/]+)/(?:(?P<group>image)/data|(?P<train>data)/adc|"
    r"(?P<camera>data)/image/pixels)"
)
_MODULE = re.compile(r"(?P<detector>[^/]+)/(?:DET|CORR)/(?:(?P<xtdf>\d+)CH0|JNGFR(?P<jngfr>\d+))")
_BESIDE = {"train_id": "trainId", "pulse_id": "pulseId", "cell_id": "cellId", "gain": "gain"}
_BESIDE_JUNGFRAU = {**_BESIDE, "cell_id": "memoryCell"}
_NO_SAMPLE = "No Sample"
# What h5py raises for what a damaged file promises and does not have; the walk names it.
_UNREADABLE = (KeyError, OSError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class ExfelName:
    """What a file's name says."""

    kind: str
    """``RAW`` or ``CORR``; other names are in use too."""
    run: int
    """Number of the run."""
    aggregator: str
    """What wrote the file, as in ``AGIPD03`` or ``DA01``."""
    sequence: int
    """Number of the file in the aggregator's sequence, from 0."""


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Images of one module or camera in one file."""

    path: str
    """HDF5 path of the images."""
    source: str
    """Name of the source, as in ``SPB_DET_AGIPD1M-1/DET/3CH0:xtdf``."""
    detector: str
    """The detector that it is a module of; empty when it is none."""
    module: int
    """Number of the module; -1 when it is none."""
    trains: tuple[int, ...]
    """Trains of which the file has images, in order."""
    beside: dict[str, str]
    """Arrays with a value for each image: role to HDF5 path."""


@dataclass(frozen=True, slots=True)
class ExfelFile:
    """What one file says of its run."""

    name: ExfelName
    """What its name says."""
    proposal: int | None
    """Number of the proposal; None in files of format 0.5."""
    run: int | None
    """Number of the run as METADATA has it."""
    created: datetime | None
    """When the file was begun."""
    sample: str | None
    """Name of the sample."""
    images: tuple[ImageSource, ...]
    """Its image sources."""


def exfel_name(name: str) -> ExfelName | None:
    """Take a file's name apart; None when no file of a run bears it."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return ExfelName(match[1], int(match[2]), match[3], int(match[4]))


def read_exfel_file(file: h5py.File, tree: SourceTree, name: ExfelName) -> ExfelFile:
    """Read what an open file says of its run."""
    paths = {dataset.path for dataset in tree.datasets}
    return ExfelFile(
        name=name,
        proposal=_number(file, "METADATA/proposalNumber"),
        run=_number(file, "METADATA/runNumber"),
        created=_time(_text(file, "METADATA/creationDate")),
        sample=_sample(_text(file, "METADATA/sample")),
        images=tuple(
            _images(file, match, paths)
            for path in sorted(paths)
            if (match := _IMAGES.fullmatch(path))
        ),
    )


def _images(file: h5py.File, match: re.Match[str], paths: set[str]) -> ImageSource:
    source = match["source"]
    key = match["group"] or match["train"] or match["camera"]
    module = _MODULE.match(source)
    folder = f"/INSTRUMENT/{source}/{key}"
    known = _BESIDE_JUNGFRAU if match["train"] else _BESIDE
    beside = {role: f"{folder}/{name}" for role, name in known.items()}
    return ImageSource(
        path=match[0],
        source=source,
        detector=module["detector"] if module else "",
        module=int(module["xtdf"] or module["jngfr"]) if module else -1,
        trains=_trains(file, f"INDEX/{source}/{key}"),
        beside={role: path for role, path in beside.items() if path in paths},
    )


def _trains(file: h5py.File, index: str) -> tuple[int, ...]:
    """Give the trains that a source has data of: those that it counts something for."""
    trains = _values(file, "INDEX/trainId")
    counts = _values(file, f"{index}/count")
    if counts is None:
        # Before format 0.5: first, last and status, which is 0 for a train without data.
        counts = _values(file, f"{index}/status")
    if trains is None or counts is None:
        return ()
    length = min(len(trains), len(counts))
    # A train of number 0 fills the last chunk up.
    there = (trains[:length] != 0) & (counts[:length] != 0)
    return tuple(int(train) for train in trains[:length][there])


def _values(file: h5py.File, path: str) -> Any:
    try:
        node = inside(file, path)
        return node[()] if isinstance(node, h5py.Dataset) and node.ndim == 1 else None
    except _UNREADABLE:
        return None


def _number(file: h5py.File, path: str) -> int | None:
    values = _values(file, path)
    return int(values[0]) if isinstance(values, np.ndarray) and values.dtype.kind in "iu" else None


def _text(file: h5py.File, path: str) -> str | None:
    values = _values(file, path)
    return decode_text(values[0]) if values is not None and len(values) else None


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _sample(text: str | None) -> str | None:
    return text if text and text != _NO_SAMPLE else None
