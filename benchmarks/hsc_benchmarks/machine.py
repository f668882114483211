"""What a measurement was made on: processor, memory, file system, versions, load."""

from __future__ import annotations

import os
import platform
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from hsc.workers import available_cpus

_PACKAGES = (
    "hanseatic-science-cloud", "blake3", "dask", "h5py", "hdf5plugin", "numba", "numcodecs",
    "numpy", "zarr",
)  # fmt: skip


def describe_machine(folder: Path | None) -> dict[str, Any]:
    """Give the facts that a time depends on; the host's name is none of them.

    Parameters
    ----------
    folder
        Where the measurement's files lie; None: the temporary folder.
    """
    where = (folder or Path(tempfile.gettempdir())).absolute()
    return {
        "processor": _processor(),
        "cores": available_cpus(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "file_system": _file_system(where),
        "load_average": load_average(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }


def load_average() -> list[float]:
    """Give how many programs wanted a processor over the last 1, 5 and 15 minutes."""
    return [round(load, 2) for load in os.getloadavg()]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or "unknown"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _file_system(folder: Path) -> str:
    """Give the type of the file system that a folder lies on, from the longest mount point."""
    try:
        mounts = Path("/proc/mounts").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return "unknown"
    while not folder.exists():
        folder = folder.parent
    here = folder.resolve()
    found = [
        (len(point), kind)
        for _, point, kind, *_ in (line.split() for line in mounts)
        if here.is_relative_to(point)
    ]
    return max(found)[1] if found else "unknown"
