"""Facts of the code and the machine that an activity runs with."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable
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

# x86-64 psABI, section 3.1.1: each level has what is needed for those before, too.
_LEVELS = {
    "x86-64-v2": {"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"},
    "x86-64-v3": {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"},
    "x86-64-v4": {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"},
}

_HEAD_LINE = re.compile(r"^(Name|Version):(.*)$", re.MULTILINE | re.IGNORECASE)


def environment(packages: Iterable[str] = ()) -> Environment:
    """Give the facts of this process's code and machine.

    Parameters
    ----------
    packages
        Distributions whose versions are told beside those that always are, where installed.
    """
    # A forked process has its parent's facts but a number of its own.
    return _facts(tuple(packages)).model_copy(update={"process": os.getpid()})


def cpu_level() -> str:
    """Give what the processor can do, as the psABI's level of x86-64, else its architecture.

    Numba and BLAS choose their instructions by it, and a fused multiply-add rounds once.
    """
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:  # not Linux
        return platform.machine()
    line = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    flags = set(line[1].split()) if line else set()
    level = "" if platform.machine() != "x86_64" else "x86-64"
    for name, needed in _LEVELS.items():
        if not level or not needed <= flags:
            break
        level = name
    return level or platform.machine()


@cache
def _facts(packages: tuple[str, ...]) -> Environment:
    installed = _installed()
    wanted = {name.lower(): name for name in (*_DECISIVE, *packages)}
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


@cache
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
