"""Files that a reduction made for people, beside the file that an export makes."""

from __future__ import annotations

import os
from pathlib import Path

from hsc.errors import LayoutError, ObjectExistsError
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
    for name in dataset.files:
        if not name or "\\" in name or ":" in name or {"", ".", ".."} & set(name.split("/")):
            raise LayoutError(f"a carried file is named {name!r}", where=str(dataset.record.pid))
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
    made = []
    for name, held in dataset.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(folder.resolve()):
            raise LayoutError(f"{name!r} leads out of the folder", where=str(folder))
        with new_file(path, overwrite=overwrite) as beside, open(beside, "wb") as file:
            held.save(file)
        made.append(path)
    return tuple(made)
