"""Files that a reduction made for people, beside the file that an export makes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from hsc.errors import LayoutError, ObjectExistsError, PathMissingError
from hsc.exporting.files import new_file
from hsc.reading import OpenedDataset


def carried_folder(path: str | os.PathLike[str]) -> Path:
    """Give the folder for a dataset's files beside an exported file.

    Examples
    --------
    >>> carried_folder("out/curve.h5").as_posix()
    'out/curve_files'
    """
    target = Path(path)
    return target.with_name(f"{target.stem}_files")


def check_carried(dataset: OpenedDataset, folder: Path, *, overwrite: bool) -> None:
    """Refuse what `write_carried` would refuse, before anything is written.

    Raises
    ------
    ObjectExistsError
        The folder is there and ``overwrite`` is False, or it is no folder.
    LayoutError
        A name leads out of it.
    """
    if not dataset.files:
        return
    _check_names(dataset, dataset.files)
    if folder.is_symlink() or (folder.exists() and not (overwrite and folder.is_dir())):
        raise ObjectExistsError(
            "the folder for the dataset's files is there already",
            where=str(folder),
            next_step="choose another name, or --overwrite",
        )


def write_carried(dataset: OpenedDataset, folder: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Write a dataset's files into a folder, each whole or not at all; give their paths.

    Parameters
    ----------
    dataset
        The dataset.
    folder
        Where they go; made when there are any.
    overwrite
        Replace files that are there.

    Raises
    ------
    ObjectExistsError, LayoutError
        As `check_carried`.
    """
    check_carried(dataset, folder, overwrite=overwrite)
    return _write(dataset, dataset.files, folder, overwrite=overwrite)


def write_named(
    dataset: OpenedDataset, names: Sequence[str], folder: Path, *, overwrite: bool
) -> tuple[Path, ...]:
    """Write some of a dataset's files into a folder, new or not, each whole or not at all.

    Parameters
    ----------
    dataset
        The dataset.
    names
        Which files; none: all.
    folder
        Where they go.
    overwrite
        Replace files that are there.

    Raises
    ------
    PathMissingError
        The dataset has no file of a name.
    ObjectExistsError
        One is there and ``overwrite`` is False.
    LayoutError
        A name leads out of the folder.
    """
    chosen = check_named(dataset, names)
    _check_names(dataset, chosen)
    return _write(dataset, chosen, folder, overwrite=overwrite)


def check_named(dataset: OpenedDataset, names: Sequence[str]) -> tuple[str, ...]:
    """Give the names of files that are asked for; none: all.

    Raises
    ------
    PathMissingError
        The dataset has no file of a name.
    """
    for name in names:
        if name not in dataset.files:
            raise PathMissingError(
                f"no file {name!r} below files/",
                where=str(dataset.record.pid),
                next_step=f"hsc files {dataset.record.pid} lists them",
            )
    return tuple(dict.fromkeys(names)) or tuple(dataset.files)


def _check_names(dataset: OpenedDataset, names: Iterable[str]) -> None:
    for name in names:
        if not name or "\\" in name or ":" in name or {"", ".", ".."} & set(name.split("/")):
            raise LayoutError(f"a carried file is named {name!r}", where=str(dataset.record.pid))


def _write(
    dataset: OpenedDataset, names: Iterable[str], folder: Path, *, overwrite: bool
) -> tuple[Path, ...]:
    made = []
    for name in names:
        held, path = dataset.files[name], folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(folder.resolve()):
            raise LayoutError(f"{name!r} leads out of the folder", where=str(folder))
        with new_file(path, overwrite=overwrite) as beside, open(beside, "wb") as file:
            held.save(file)
        made.append(path)
    return tuple(made)
