"""A history as files: a picture, PROV-JSON, and an RO-Crate as a folder or a zip."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

from hsc.errors import ObjectExistsError, ObjectMissingError, StoreUnwritableError
from hsc.exporting.files import new_file
from hsc.provenance import History, draw_lineage, prov_document, stale, write_run_crate

# What a zip says of its files' times; the bytes must not depend on when it was written.
_NO_TIME = (1980, 1, 1, 0, 0, 0)

PathLike = str | os.PathLike[str]


def write_picture(history: History, path: PathLike, *, overwrite: bool = False) -> None:
    """Write a history as an SVG picture; what rests on an input with a newer version is marked.

    Raises
    ------
    ObjectExistsError, ObjectMissingError, StoreUnwritableError
        See `hsc.exporting.files.new_file`.
    """
    marks = {node: f"an input is now {newer}" for node, newer in stale(history.lineage).items()}
    _write(path, draw_lineage(history.lineage, marks=marks).encode(), overwrite)


def write_prov(history: History, path: PathLike, *, overwrite: bool = False) -> None:
    """Write a history as PROV-JSON.

    Raises
    ------
    ObjectExistsError, ObjectMissingError, StoreUnwritableError
        See `hsc.exporting.files.new_file`.
    """
    text = json.dumps(prov_document(history), indent=1, ensure_ascii=False, allow_nan=False)
    _write(path, text.encode("utf-8", "backslashreplace"), overwrite)


def write_crate_files(history: History, path: PathLike, *, overwrite: bool = False) -> None:
    """Write a history as an RO-Crate: a zip where the path ends in ``.zip``, else a folder.

    Raises
    ------
    ObjectExistsError
        The folder is there and not empty, or the file is there; and ``overwrite`` is False.
    ObjectMissingError, StoreUnwritableError
        See `hsc.exporting.files.new_file`.
    """
    target, files = Path(path), write_run_crate(history)
    if target.suffix.lower() == ".zip":
        with new_file(target, overwrite=overwrite) as beside, zipfile.ZipFile(beside, "w") as made:
            for name, content in sorted(files.items()):
                made.writestr(zipfile.ZipInfo(name, _NO_TIME), content, zipfile.ZIP_DEFLATED)
        return
    if target.is_dir() and any(target.iterdir()) and not overwrite:
        raise ObjectExistsError(
            "the folder is not empty",
            where=str(target),
            next_step="choose another name, or ask for it to be overwritten",
        )
    try:
        target.mkdir(exist_ok=True)
    except FileNotFoundError as error:
        raise ObjectMissingError(
            f"no folder {str(target.parent)!r} to write into", next_step="make it first"
        ) from error
    except FileExistsError as error:
        raise ObjectExistsError(
            "a file is there, and no folder",
            where=str(target),
            next_step="choose another name, or one that ends in .zip",
        ) from error
    except OSError as error:
        raise StoreUnwritableError(
            f"the folder can't be made: {error.strerror}", where=str(target)
        ) from error
    for name, content in files.items():
        _write(target / name, content, overwrite)


def _write(path: PathLike, content: bytes, overwrite: bool) -> None:
    with new_file(path, overwrite=overwrite) as beside:
        beside.write_bytes(content)
