"""A file that appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ulid import ULID

from hsc.errors import ObjectExistsError, ObjectMissingError, StoreUnwritableError


@contextmanager
def new_file(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Give a name beside a path to write under; on leaving it becomes the path.

    When the body raises, nothing is left behind and a file that was there stays as it was.

    Parameters
    ----------
    path
        The file to make.
    overwrite
        Replace a file that is there.

    Raises
    ------
    ObjectExistsError
        A file is there and ``overwrite`` is False, or a folder is there.
    ObjectMissingError
        Its folder is not there.
    StoreUnwritableError
        The folder does not take writes.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise ObjectMissingError(
            f"no folder {str(target.parent)!r} to write into", next_step="make it first"
        )
    if target.exists() and (not overwrite or target.is_dir()):
        raise _exists(target)
    beside = target.with_name(f".{target.name[:100]}.{ULID()}.part")
    try:
        yield beside
        _appear(beside, target, overwrite)
    except PermissionError as error:
        raise StoreUnwritableError(f"can't write: {error.strerror}", where=str(target)) from error
    finally:
        beside.unlink(missing_ok=True)


def _appear(beside: Path, target: Path, overwrite: bool) -> None:
    if overwrite:
        beside.replace(target)
        return
    try:
        # A link, unlike a rename, fails when somebody else made the file meanwhile.
        os.link(beside, target)
    except FileExistsError as error:
        raise _exists(target) from error


def _exists(target: Path) -> ObjectExistsError:
    return ObjectExistsError(
        "a folder is there" if target.is_dir() else "a file is there already",
        where=str(target),
        next_step="choose another name"
        if target.is_dir()
        else "choose another name, or ask for it to be overwritten",
    )
