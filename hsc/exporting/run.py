"""A dataset as the HDF5 file, or the folder of files, that it was made of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ulid import ULID

from hsc.errors import (
    GapError,
    ObjectExistsError,
    ObjectMissingError,
    ParameterError,
    StoreFullError,
)
from hsc.exporting.files import new_file
from hsc.exporting.hdf5 import write_file
from hsc.exporting.parts import FilePart, RunParts, run_parts
from hsc.exporting.storage import Filters
from hsc.exporting.tree import Told
from hsc.model import Gap
from hsc.reading import OpenedDataset
from hsc.workers import Progress, Silent

_MARGIN = 1.05


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """What an export made."""

    path: Path
    """The file, or the folder of a run of many files."""
    files: tuple[Path, ...]
    """All files."""
    gaps: tuple[Gap, ...]
    """What is not in them, and why: each path with its file before it when they are many."""
    notes: tuple[Gap, ...]
    """What is there, but not as it was."""

    @property
    def nbytes(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in self.files)


def export_run(
    dataset: OpenedDataset,
    out: str | os.PathLike[str],
    *,
    filters: Filters = Filters.ORIGINAL,
    overwrite: bool = False,
    refuse_gaps: bool = False,
    as_hdf5: bool = False,
    progress: Progress | None = None,
) -> ExportedRun:
    """Write a dataset back to HDF5: the file it was made of, or a folder of its files.

    Parameters
    ----------
    out
        The file or folder to make; it appears whole or not at all.
    filters
        What chunks are compressed with.
    overwrite
        Replace what is there; never a folder that holds anything but this run's files.
    refuse_gaps
        Write nothing of a dataset that has gaps.
    as_hdf5
        Make HDF5 of what was decoded of another file too; else that file comes back.
    progress
        Hears how far it has come.

    Returns
    -------
    exported
        With what is not there, or not as it was.

    Raises
    ------
    ObjectExistsError
        Something is there and ``overwrite`` is False, or it is a folder of something else.
    ParameterError
        ``out`` is no name.
    GapError
        The dataset has gaps and ``refuse_gaps`` is True.
    StoreFullError
        The file system has no room for it.
    DamageError
        Bytes of the dataset are missing or not those that were written.
    """
    target = Path(out)
    known = dataset.version.manifest.gaps
    if refuse_gaps:
        _refuse(dataset)
    parts = run_parts(dataset, as_hdf5=as_hdf5)
    _check_place(dataset, target, parts, overwrite)
    heard = progress or Silent()
    heard.start("export", dataset.version.manifest.nbytes, "bytes")
    writer = _Writer(dataset, parts, filters, heard)
    made = writer.whole(target, overwrite)
    heard.finish()
    gaps = [*known, *(gap for gap in made.gaps if gap not in known)]
    files = [target] if parts.single else sorted(p for p in target.rglob("*") if p.is_file())
    return ExportedRun(target, tuple(files), tuple(gaps), tuple(made.notes))


def _check_place(dataset: OpenedDataset, target: Path, parts: RunParts, overwrite: bool) -> None:
    _check_target(target, overwrite)
    _check_replaced(target, parts)
    _check_room(dataset, target)


def _refuse(dataset: OpenedDataset) -> None:
    known = dataset.version.manifest.gaps
    if known:
        raise GapError(
            f"the dataset has {len(known)} gaps, first {known[0].path}: {known[0].reason}",
            where=str(dataset.record.pid),
            next_step="`hsc export --gaps note` writes what is there",
        )


@dataclass(frozen=True, slots=True)
class _Writer:
    dataset: OpenedDataset
    parts: RunParts
    filters: Filters
    progress: Progress

    def whole(self, target: Path, overwrite: bool) -> Told:
        if self.parts.single:
            return self.one(target, overwrite)
        with _new_folder(target, overwrite) as beside:
            return self.folder(beside)

    def one(self, target: Path, overwrite: bool) -> Told:
        if not self.parts.files:
            return self._carried(target, overwrite)
        told = self._file(self.parts.files[0], target, overwrite)
        told.gaps += self.parts.lost
        return told

    def folder(self, folder: Path) -> Told:
        told = Told(gaps=list(self.parts.lost))
        for part in self.parts.files:
            path = folder / part.name
            path.parent.mkdir(parents=True, exist_ok=True)
            of = self._file(part, path, False)
            told.gaps += (_within(part, gap) for gap in of.gaps)
            told.notes += (_within(part, note) for note in of.notes)
        for held in self.parts.carried:
            path = folder / held.name
            path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(path) as beside, open(beside, "wb") as file:
                held.save(file)
            self.progress.advance(held.nbytes)
        for name, leads_to in self.parts.symlinks.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(os.path.relpath(leads_to, os.path.dirname(name) or "."))
        return told

    def _carried(self, target: Path, overwrite: bool) -> Told:
        """Write the file that the dataset was decoded of, byte for byte."""
        (held,) = self.parts.carried
        with new_file(target, overwrite=overwrite) as beside, open(beside, "wb") as file:
            held.save(file)
        self.progress.advance(held.nbytes)
        return Told()

    def _file(self, part: FilePart, path: Path, overwrite: bool) -> Told:
        block = self.parts.userblocks.get(part.name)
        return write_file(
            path,
            self.dataset,
            part,
            run=self.parts.files,
            filters=self.filters,
            overwrite=overwrite,
            userblock=block.read() if block else b"",
            known=self.dataset.version.manifest.gaps,
            advance=self.progress.advance,
        )


def _within(part: FilePart, gap: Gap) -> Gap:
    return Gap(path=f"{part.name}:{gap.path}", reason=gap.reason)


@contextmanager
def _new_folder(target: Path, overwrite: bool) -> Iterator[Path]:
    """Give a folder beside a path to write in; on leaving it becomes the path."""
    beside = target.with_name(f".{target.name[:100]}.{ULID()}.part")
    beside.mkdir()
    try:
        yield beside
        if overwrite and target.exists():
            old = target.with_name(f".{target.name[:100]}.{ULID()}.old")
            target.rename(old)
            beside.rename(target)
            _remove(old)
        else:
            _check_target(target, overwrite)
            beside.rename(target)
    finally:
        if beside.exists():
            _remove(beside)


def _remove(path: Path) -> None:
    remove: Callable[[Path], object] = shutil.rmtree if path.is_dir() else os.unlink
    remove(path)


def _check_target(target: Path, overwrite: bool) -> None:
    if not target.absolute().parent.is_dir():
        raise ObjectMissingError(
            f"no folder {str(target.absolute().parent)!r} to write into", next_step="make it first"
        )
    if target.is_symlink() or (target.exists() and not overwrite):
        raise ObjectExistsError(
            "something is there already",
            where=str(target),
            next_step="choose another name, or overwrite it (--overwrite)",
        )


def _check_replaced(target: Path, parts: RunParts) -> None:
    """Look whether what is there may be replaced: a folder with nothing that is not made again."""
    if target.name in ("", ".."):
        raise ParameterError(
            f"{str(target)!r} is no name of what is to be made", next_step="choose a name"
        )
    if not target.is_dir():
        return
    made = {file.name for file in parts.files} | {file.name for file in parts.carried}
    made |= set(parts.symlinks)
    there = (path for path in target.rglob("*") if path.is_symlink() or not path.is_dir())
    other = next((path for path in there if path.relative_to(target).as_posix() not in made), None)
    if parts.single or other is not None:
        holds = f", with {other.relative_to(target).as_posix()!r} in it" if other else ""
        raise ObjectExistsError(
            f"a folder is there{holds}, which is not replaced",
            where=str(target),
            next_step="choose another name, as one inside of it, or remove the folder",
        )


def _check_room(dataset: OpenedDataset, target: Path) -> None:
    free = shutil.disk_usage(target.absolute().parent).free
    needed = int(_MARGIN * dataset.version.manifest.nbytes)
    if needed > free:
        raise StoreFullError(
            f"about {needed / 1e6:,.1f} MB are needed, and {free / 1e6:,.1f} MB are free",
            where=str(target),
            next_step="make room there, or choose another place",
        )
