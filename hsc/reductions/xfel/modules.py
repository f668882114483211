"""The modules of a detector as roles name them: pictures, with train, pulse and cell of each."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from string import digits

from hsc.errors import ReductionError, RoleMissingError
from hsc.reductions.base import SourceArray, SourceDataset, array_for
from hsc.reductions.sources import known_roles

_FRAMES = re.compile(r"frames(?:_(?P<module>.+?)(?:_S(?P<sequence>\d{5,}))?)?")
# Alone in its run the pictures' role has no end; the name of their file is a part of their path.
_FILE = re.compile(r"-R\d{4,}-(?P<module>[^-/]+)-S\d{5,}")
UNNAMED = "module"
"""What a module is called that nothing names."""
_OTHERS = ("LPD", "DSSC")


@dataclass(frozen=True, slots=True)
class Segment:
    """Pictures of a module that stand in one array, in rows."""

    frames: SourceArray
    """(n, 2, rows, columns): analog and digital words; or the analog ones, (n, rows, columns) or
    (n, 1, rows, columns). Of JUNGFRAU (trains, pulses, rows, columns): words whose two highest
    bits tell the gain."""
    gain: SourceArray | None
    """The digital words, or JUNGFRAU's two bits, likewise, where they are an array of their own."""
    train_id: SourceArray
    """Train of each picture, or of each row of several; 0: nothing stands in the row."""
    pulse_id: SourceArray | None
    """Pulse of each picture; None: its place in the row tells it."""
    cell_id: SourceArray
    """Memory cell that held it."""
    pictures_per_row: int = 1
    """Pictures that stand in one row."""

    @property
    def pictures(self) -> int:
        """Pictures in all rows, written or not."""
        return self.frames.shape[0] * self.pictures_per_row


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a detector."""

    name: str
    """As roles call it, ``AGIPD03``; ``module`` where there is but one and nothing names it."""
    segments: tuple[Segment, ...]
    """Its pictures, in the order of the run's sequences."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.segments[0].frames.shape[-2:]
        return (rows, columns)


def find_modules(
    dataset: SourceDataset, *, bits: bool = False, like: Collection[str] = ()
) -> tuple[Module, ...]:
    """Find all modules of a dataset's detector, by name, and check that they are alike.

    Parameters
    ----------
    bits
        Whether two bits tell the gain, as JUNGFRAU's do, and not a digital word.
    like
        Names of modules of the detector that is meant: others, as cameras, whose names differ in
        more than the number at the end, are left out. None: the dataset has but one detector.

    Raises
    ------
    RoleMissingError
        There are no pictures, or it is not told when they were taken.
    ReductionError
        They are no stacks of two words a pixel, or of modules of several shapes.
    """
    every = _ends(dataset)
    found = {name: ends for name, ends in every.items() if _is_like(name, like)} or every
    if not found:
        raise RoleMissingError(
            "no array has the role 'frames', nor one for a module, as in 'frames_AGIPD03_S00000'",
            where=str(dataset.record.pid),
            next_step=f"its roles are: {known_roles(dataset)}",
        )
    others = [name for name in sorted(found) if name.startswith(_OTHERS)]
    if others:
        raise ReductionError(
            f"modules that write their gain otherwise than AGIPD and JUNGFRAU: {', '.join(others)}",
            where=str(dataset.record.pid),
            next_step="correct LPD and DSSC at the facility, and take in what comes of it",
        )
    of = _segment_of_bits if bits else _segment
    modules = tuple(
        Module(name, tuple(of(dataset, end) for _, end in sorted(found[name])))
        for name in sorted(found)
    )
    shapes = {segment.frames.shape[-2:] for module in modules for segment in module.segments}
    if len(shapes) > 1:
        raise ReductionError(
            f"modules of several shapes: {', '.join(map(str, sorted(shapes)))}",
            where=str(dataset.record.pid),
            next_step="take in the files of one detector as a dataset of their own",
        )
    return modules


def other_pictures(dataset: SourceDataset, modules: Sequence[Module]) -> list[str]:
    """Name the pictures of a dataset that are of none of these modules."""
    return sorted(set(_ends(dataset)) - {module.name for module in modules})


def _ends(dataset: SourceDataset) -> dict[str, list[tuple[int, str]]]:
    """Give for each module's name the numbers of its sequences, and how their roles end."""
    found: dict[str, list[tuple[int, str]]] = {}
    for role, path in dataset.roles.items():
        match = _FRAMES.fullmatch(role)
        if match is not None:
            file = _FILE.search(path)
            name = match["module"] or (file["module"] if file else UNNAMED)
            ends = found.setdefault(name, [])
            ends.append((int(match["sequence"] or 0), role.removeprefix("frames")))
    return found


def _is_like(name: str, others: Collection[str]) -> bool:
    return not others or name.rstrip(digits) in {other.rstrip(digits) for other in others}


def _segment(dataset: SourceDataset, end: str) -> Segment:
    frames = dataset.role(f"frames{end}")
    gain = dataset.role(f"gain{end}") if f"gain{end}" in dataset.roles else None
    beside = [
        array_for(dataset, f"{role}{end}", f"tells the {what} of each picture")
        for role, what in (("train_id", "train"), ("pulse_id", "pulse"), ("cell_id", "memory cell"))
    ]
    where = f"{dataset.record.pid}, {frames.path}"
    for array in (frames, gain):
        planes = 2 if array is frames and gain is None else 1
        if array is not None and not _is_stack(array, planes):
            raise ReductionError(
                f"pictures of shape {array.shape} and type {array.dtype}; unsigned words of 16 "
                f"bits at most, {planes} for each pixel, are needed",
                where=where,
                next_step="give raw data: (n, 2, rows, columns), or a role gain beside frames",
            )
    for array in (*beside, *([gain] if gain else [])):
        if array.shape[:1] != frames.shape[:1]:
            raise ReductionError(
                f"{array.shape[0]} rows of {array.path} for {frames.shape[0]} pictures", where=where
            )
    train_id, pulse_id, cell_id = beside
    return Segment(frames, gain, train_id, pulse_id, cell_id)


def _segment_of_bits(dataset: SourceDataset, end: str) -> Segment:
    frames = dataset.role(f"frames{end}")
    gain = dataset.role(f"gain{end}") if f"gain{end}" in dataset.roles else None
    train_id, cell_id = (
        array_for(dataset, f"{role}{end}", f"tells the {what} of each picture")
        for role, what in (("train_id", "train"), ("cell_id", "memory cell"))
    )
    known = f"pulse_id{end}" in dataset.roles
    pulse_id = dataset.role(f"pulse_id{end}") if known else None
    where = f"{dataset.record.pid}, {frames.path}"
    for array in (frames, *([gain] if gain else [])):
        whole = array.dtype.kind == "u" and array.dtype.itemsize <= 2
        if len(array.shape) not in (3, 4) or 0 in array.shape[1:] or not whole:
            raise ReductionError(
                f"pictures of shape {array.shape} and type {array.dtype}; unsigned words of 16 "
                "bits at most are needed",
                where=where,
                next_step="give raw data: (trains, pulses, rows, columns), or (n, rows, columns)",
            )
    per_row = frames.shape[1] if len(frames.shape) == 4 else 1
    rows = frames.shape[0]
    wanted = [(train_id, rows), (cell_id, rows * per_row)]
    for beside, count in (*wanted, *([(pulse_id, rows * per_row)] if pulse_id else [])):
        if math.prod(beside.shape) != count:
            raise ReductionError(
                f"{beside.path} has the shape {beside.shape} beside pictures of {frames.shape}",
                where=where,
            )
    if gain is not None and gain.shape != frames.shape:
        raise ReductionError(
            f"{gain.path} has the shape {gain.shape} beside pictures of {frames.shape}", where=where
        )
    return Segment(frames, gain, train_id, pulse_id, cell_id, per_row)


def _is_stack(array: SourceArray, planes: int) -> bool:
    shape = array.shape
    stacked = (len(shape) == 4 and shape[1] == planes) or (planes == 1 and len(shape) == 3)
    return stacked and array.dtype.kind == "u" and array.dtype.itemsize <= 2 and 0 not in shape[-2:]
