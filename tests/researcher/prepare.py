"""Ingests a small HDF5 file with the full installation, for the base installation to read.

Usage: python prepare.py FOLDER. The folder then holds the source, a home with store and catalog,
and ``ingested.json``, the answer of ``hsc ingest``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np


def write_source(path: Path) -> None:
    """Write 40 frames three times, stored in three ways; conftest.py knows the values."""
    frames = (np.arange(40 * 32 * 48, dtype="<u4") * 7 % 65521).astype("<u2").reshape(40, 32, 48)
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "default": "data"})
        entry["title"] = "Measured for the base installation"
        data = entry.create_group("data")
        data.attrs.update({"NX_class": "NXdata", "signal": "frames"})
        chunks = (1, 32, 48)
        data.create_dataset(
            "frames", data=frames, chunks=chunks, **hdf5plugin.Bitshuffle(nelems=0, cname="lz4")
        )
        data.create_dataset("zipped", data=frames, chunks=chunks, shuffle=True, compression="gzip")
        data.create_dataset("plain", data=frames)
        distance = entry.create_dataset("distance", data=np.linspace(0.5, 2.5, 5))
        distance.attrs["units"] = "m"


def ingest(folder: Path) -> None:
    """Run ``hsc ingest`` on the source and keep its answer."""
    command = Path(sys.executable).with_name("hsc")
    environment = {**os.environ, "HSC_HOME": str(folder / "home")}
    answer = subprocess.run(
        [command, "ingest", folder / "source.h5", "--sample", "fibroin", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        check=False,
        timeout=300,
    )
    (folder / "ingested.json").write_bytes(answer.stdout)
    if answer.returncode:
        sys.exit(f"hsc ingest ended with {answer.returncode}: {answer.stdout.decode()}")


if __name__ == "__main__":
    target = Path(sys.argv[1]).absolute()
    target.mkdir(parents=True)
    write_source(target / "source.h5")
    ingest(target)
