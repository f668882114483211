"""The modules of a detector as roles name them: pictures, with train, pulse and cell of each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hsc.errors import ReductionError, RoleMissingError
from hsc.reductions.base import SourceArray, SourceDataset, array_for

_FRAMES = re.compile(r"frames(?:_(?P<module>.+?)(?:_S(?P<sequence>\d{5,}))?)?")


@dataclass(frozen=True, slots=True)
class Segment:
    """Pictures of a module that stand in one array, in rows."""

    frames: SourceArray
    """(n, 2, rows, columns): analog and digital words; or the analog ones, (n, rows, columns) or
    (n, 1, rows, columns)."""
    gain: SourceArray | None
    """The digital words, likewise, where they are an array of their own."""
    train_id: SourceArray
    """Train of each picture; 0: nothing stands in the row."""
    pulse_id: SourceArray
    """Pulse of each picture."""
    cell_id: SourceArray
    """Memory cell that held it."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a detector."""

    name: str
    """As roles call it, ``AGIPD03``; ``module`` where there is but one without a name."""
    segments: tuple[Segment, ...]
    """Its pictures, in the order of the run's sequences."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.segments[0].frames.shape[-2:]
        return (rows, columns)


def find_modules(dataset: SourceDataset) -> tuple[Module, ...]:
    """Find all modules of a dataset, by name, and check that they are alike.

    Raises
    ------
    RoleMissingError
        There are no pictures, or it is not told when they were taken.
    ReductionError
        They are no stacks of two words a pixel, or of modules of several shapes.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for role in dataset.roles:
        match = _FRAMES.fullmatch(role)
        if match is not None:
            of = found.setdefault(match["module"] or "module", [])
            of.append((int(match["sequence"] or 0), role.removeprefix("frames")))
    if not found:
        raise RoleMissingError(
            "no array has the role 'frames', nor one for a module, as in 'frames_AGIPD03_S00000'",
            where=str(dataset.record.pid),
            next_step=f"its roles are: {', '.join(sorted(dataset.roles)) or 'none'}",
        )
    modules = tuple(
        Module(name, tuple(_segment(dataset, end) for _, end in sorted(found[name])))
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
    return Segment(frames, gain, *beside)


def _is_stack(array: SourceArray, planes: int) -> bool:
    shape = array.shape
    stacked = (len(shape) == 4 and shape[1] == planes) or (planes == 1 and len(shape) == 3)
    return stacked and array.dtype.kind == "u" and array.dtype.itemsize <= 2 and 0 not in shape[-2:]
