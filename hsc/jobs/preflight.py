"""Before the first byte: whether every worker is fit for an ingest or a reduction."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hsc import settings
from hsc.errors import HscError, ObjectExistsError, StoreError, WorkerUnfitError
from hsc.layouts import RunFile
from hsc.model import plain_text
from hsc.provenance import environment
from hsc.store import ObjectStore, VersionWriter, open_objects
from hsc.workers import Workers

_NAMED_WORKERS = 10
# Where workers and we have to be alike: what decides bytes, and what speaks between us.
_ALIKE = (
    "hanseatic-science-cloud", "blake3", "dask", "h5py", "hdf5plugin", "numba", "numcodecs",
    "numpy", "zarr",
)  # fmt: skip
PROBES = ".journal/probe"
"""Beginning of the keys below a version's folder that workers try the store with."""
_MOST_PROBES = 16
_PROBE = b"a worker of hsc looked whether it can write here; this may be removed\n"


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a worker must have and see."""

    versions: tuple[tuple[str, str], ...]
    """Packages with their versions, Python among them."""
    files: tuple[tuple[str, int, int], ...]
    """Files of the source: path, bytes, time in ns."""
    store: str
    """URL of the store; the worker opens it with its own credentials."""
    probes: tuple[str, ...]
    """Keys that it may write to, one after the other when others are at it too."""


def check_workers(
    workers: Workers,
    sources: Sequence[RunFile],
    store: str,
    location: str,
    packages: Sequence[str] = (),
) -> None:
    """Refuse to begin with workers that would fail, or make other bytes.

    Parameters
    ----------
    workers
        Who is asked; threads of this process are not.
    sources
        Files that each must see as we do.
    store, location
        URL of the store, and the version's folder below it, where each must be able to write.
    packages
        Distributions that decide bytes, beside those that always do.

    Raises
    ------
    WorkerUnfitError
        Naming the workers, and why.
    """
    probes = [f"{PROBES}-{number}" for number in range(_MOST_PROBES)]
    if settings.dask() != "threads":
        # Noted before they are written: what a worker that dies leaves is then found.
        VersionWriter(open_objects(store), location).begin([], probes)
    expected = Expectations(
        versions=_versions(packages),
        files=tuple((str(f.path), f.state.facts[0], f.state.facts[1]) for f in sources),
        store=store,
        # Below the version's own journal, so that it goes with it wherever it can't be removed.
        probes=tuple(f"{location}/{probe}" for probe in probes),
    )
    answers = workers.everywhere(look_around, expected)
    unfit = {
        address: [f"{type(said).__name__}: {said}"] if isinstance(said, Exception) else said
        for address, said in answers.items()
        if isinstance(said, Exception) or said
    }
    if unfit:
        named = [f"{address}: {'; '.join(why)}" for address, why in sorted(unfit.items())]
        more = len(named) - _NAMED_WORKERS
        listed = "\n    ".join(
            [*named[:_NAMED_WORKERS], *([f"and {more} more"] if more > 0 else [])]
        )
        raise WorkerUnfitError(
            f"{len(unfit)} of {len(answers)} workers can't do it:\n    {listed}",
            where=store,
            next_step="give every worker the same installation, the same paths and the "
            "credentials of the store, or unset HSC_DASK",
        )


def look_around(expected: Expectations) -> list[str]:
    """Tell what a worker lacks; runs on it."""
    return [*_other_versions(expected), *_unseen(expected), *_unwritable(expected)]


def _versions(packages: Sequence[str]) -> tuple[tuple[str, str], ...]:
    facts = environment(packages)
    minor = ".".join(facts.python.split(".")[:2])
    names = dict.fromkeys((*_ALIKE, *packages))
    return (
        ("python", minor),
        *((name, facts.packages[name]) for name in names if name in facts.packages),
    )


def _other_versions(expected: Expectations) -> list[str]:
    mine = dict(_versions([name for name, _ in expected.versions if name != "python"]))
    return [
        f"it has {name} {mine.get(name, 'not at all')} and not {version}"
        for name, version in expected.versions
        if mine.get(name) != version
    ]


def _unseen(expected: Expectations) -> list[str]:
    for path, nbytes, time_ns in expected.files:
        try:
            facts = os.stat(path)
            with Path(path).open("rb") as file:
                file.read(1)
        except OSError as error:
            return [f"it can't read {plain_text(path)}: {error.strerror}"]
        if (facts.st_size, facts.st_mtime_ns) != (nbytes, time_ns):
            return [f"it sees another file as {plain_text(path)}"]
    return []


def _unwritable(expected: Expectations) -> list[str]:
    try:
        key = _probe(open_objects(expected.store), expected.probes)
        if key is not None:
            _remove(key, expected)
    except (HscError, OSError) as error:
        what = error.message if isinstance(error, HscError) else str(error)
        return [f"it can't use the store: {what}"]
    return []


def _probe(objects: ObjectStore, keys: Sequence[str]) -> str | None:
    """Write a probe and read it back; None when the store showed others' at all keys."""
    first = secrets.randbelow(len(keys))
    for key in (*keys[first:], *keys[:first]):
        try:
            objects.put_new(key, _PROBE)
        except ObjectExistsError:  # another worker's, or a dead one's
            continue
        if objects.get(key) != _PROBE:
            raise StoreError("it reads from the store what it did not write", where=key)
        return key
    return None


def _remove(key: str, expected: Expectations) -> None:
    try:
        open_objects(expected.store).delete(key)
    except StoreError:
        return  # a write-once store keeps it, beside the journal
