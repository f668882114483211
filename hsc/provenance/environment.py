"""Facts of the code and the machine that an activity runs with."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from blake3 import blake3

from hsc.model import Environment
from hsc.provenance.processes import process_space

DISTRIBUTION = "hanseatic-science-cloud"
# Packages whose version can change a byte of a result.
_DECISIVE = (
    DISTRIBUTION,
    "blake3",
    "dask",
    "h5py",
    "hdf5plugin",
    "numba",
    "numcodecs",
    "numpy",
    "prefect",
    "pyFAI",
    "zarr",
)

_HEAD_LINE = re.compile(r"^(Name|Version):(.*)$", re.MULTILINE | re.IGNORECASE)


def environment() -> Environment:
    """Give the facts of this process's code and machine."""
    # A forked process has its parent's facts but a number of its own.
    return _facts().model_copy(update={"process": os.getpid()})


@cache
def _facts() -> Environment:
    installed = _installed()
    wanted = {name.lower(): name for name in _DECISIVE}
    lines = "\n".join(f"{name}=={version}" for name, version in sorted(installed.items()))
    return Environment(
        packages={wanted[n]: installed[n] for n in sorted(wanted) if n in installed},
        python=platform.python_version(),
        platform=platform.platform(),
        host=platform.node(),
        process=os.getpid(),
        process_space=process_space(),
        cpus=os.cpu_count() or 1,
        source_commit=_source_commit(),
        lock_digest=f"blake3:{blake3(lines.encode()).hexdigest()}",
    )


def version() -> str:
    """Give hsc's own version."""
    return metadata.version(DISTRIBUTION)


def _installed() -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        # Its head alone: to parse the descriptions of all packages takes half a second.
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        head = _HEAD_LINE.findall(text.partition("\n\n")[0])
        facts = {name.lower(): value.strip() for name, value in reversed(head)}
        if "name" in facts:  # a half-removed distribution has none
            found.setdefault(facts["name"].lower(), facts.get("version", ""))
    return found


def _source_commit() -> str | None:
    """Give the commit of hsc's own checkout; None when it was installed from a wheel."""
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return None
    commit = _git(checkout, "rev-parse", "HEAD")
    changes = _git(checkout, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+changes" if commit and changes else commit


def _git(checkout: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), *words],  # noqa: S607 (git is found as the user finds it)
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        # No git here, or a checkout of somebody else's: the record says so by having no commit.
        return None
    return done.stdout.strip() or None
