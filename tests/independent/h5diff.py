"""The HDF Group's own comparison of two files, `h5diff` of Debian's hdf5-tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import hdf5plugin

PACKAGE = "hdf5-tools"
EMPTY = "is an empty dataset"
"""It says so where one of two datasets has no elements, or none that were written."""
_VIRTUAL = "is a virtual dataset"  # which it reads all the same


GAVE_UP = 2
"""Its code where it can't read or compare something, whatever that holds."""


def missing_program() -> bool:
    """Tell whether there is no h5diff."""
    return shutil.which("h5diff") is None


def h5diff(first: Path, second: Path, timeout_s: float = 30) -> tuple[int, list[str]]:
    """Compare two files.

    Returns
    -------
    code
        0: no difference; 1: some; else it gave up, 124 for too long.
    told
        What it said of them.
    """
    command = ["h5diff", "-c", str(first), str(second)]
    environment = {**os.environ, "HDF5_PLUGIN_PATH": hdf5plugin.PLUGIN_PATH}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, []
    told = (done.stdout + done.stderr).splitlines()
    return done.returncode, [line for line in told if line and _VIRTUAL not in line]


def only_empty(told: list[str]) -> bool:
    """Tell whether it passed over datasets that one of the files has no elements of, and no more.

    Nothing is said then of whether the other has some.
    """
    return all(EMPTY in line for line in told)


def gives_up(file: Path, scratch: Path) -> bool:
    """Tell whether it gives up on a file that it holds against a copy of it."""
    copy = scratch / f"copy-{file.name}"
    shutil.copyfile(file, copy)
    try:
        return h5diff(file, copy)[0] not in (0, 1)
    finally:
        copy.unlink()
