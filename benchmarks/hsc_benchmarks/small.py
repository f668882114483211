"""Times what many small arrays cost: ingest, opening, and the objects that they become.

They go to the store that HSC_STORE names, a bucket for instance, or else to a folder of the
benchmark's own. Beside it stands what the same objects cost when each is put by itself.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hsc import jobs, settings, verbs
from hsc.errors import HscError
from hsc.store import CheckedVersion, open_objects, open_version
from hsc_benchmarks.home import state_directory
from hsc_benchmarks.rounds import Arm, summarise, time_rounds

_ARRAYS_PER_FRAME = 50
_PER_GROUP = 100
_ELEMENTS = 64
_THREADS = 8
_WORDS = {
    "hsc": "hsc ingest --verify none",
    "open": "hsc.open of it",
    "plain": f"the same objects, each put by itself, {_THREADS} threads",
}


def measure_small(
    *, frames: int, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Time the ingest of a file of small arrays; everything written is removed again.

    Parameters
    ----------
    frames
        The file has fifty arrays for each: 200 make 10,000.
    rounds
        How often each arm is timed.
    folder
        Where the files go; None: the temporary folder.
    say
        Hears how far it is.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as made:
        here, count = Path(made), frames * _ARRAYS_PER_FRAME
        say(f"making a file of {count} arrays in {here}")
        source = write_small_arrays(here / "small.h5", count)
        nbytes = source.stat().st_size
        bench = _Bench(source, here)
        try:
            bench.ingest()
            version = bench.version()
            logical = _logical(version)
            arms = {
                "hsc": Arm(bench.next, bench.ingest),
                "open": Arm(lambda: None, bench.open),
                "plain": Arm(bench.next, lambda: bench.put(logical)),
            }
            times = time_rounds(arms, rounds, say)
        finally:
            bench.clear()
    rows = summarise(times, nbytes, floor="plain")
    for row in rows:
        row["what"] = _WORDS[row["arm"]]
    own = [entry for entry in version.manifest.entries if not entry.packed]
    facts = {
        "arrays": count,
        "store": settings.store_url().partition("://")[0],
        "logical_objects": len(logical),
        "objects": len(own) + 1,
        "logical_bytes": sum(map(len, logical.values())),
    }
    return {"source": facts, "rounds": rounds, "arms": rows}


def write_small_arrays(path: Path, count: int) -> Path:
    """Write a file of many small arrays, each with an attribute, a hundred in a group."""
    draw = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        for number in range(count):
            name = f"g{number // _PER_GROUP:04}/a{number % _PER_GROUP:02}"
            values = draw.integers(0, 1000, _ELEMENTS).astype("i4")
            file.create_dataset(name, data=values).attrs["units"] = "mm"
    return path


class _Bench:
    """The file, and a store that is another one for each ingest."""

    def __init__(self, source: Path, here: Path) -> None:
        self._source = source
        self._here = here
        named = settings.store_url()
        self._bucket = "" if named.startswith("file://") else named.rstrip("/")
        self._pid = ""
        self._urls: list[str] = []
        self._last: tuple[Path, str] = (here, "")
        self.next()

    def next(self) -> None:
        """Take another store."""
        name = f"bench-{secrets.token_hex(8)}"
        self._urls.append(
            f"{self._bucket}/{name}" if self._bucket else (self._here / name).as_uri()
        )

    def ingest(self) -> None:
        """Take the file in, with a catalog of its own."""
        home = self._here / f"home-{len(self._urls)}"
        with state_directory(home, HSC_STORE=self._urls[-1]):
            report = jobs.ingest(jobs.IngestRequest(paths=(str(self._source),), verify="none"))
        if report.errors:
            raise HscError(report.errors[0].message, where=report.errors[0].where)
        self._pid = str(report.datasets[0].pid)
        self._last = home, self._urls[-1]

    def open(self) -> None:
        """Open the dataset of the last ingest, and read one array."""
        with self._at_last():
            tree = verbs.open(self._pid)
            tree["g0000"]["a00"].load()

    def put(self, objects: dict[str, bytes]) -> None:
        """Put objects, each by itself."""
        store = open_objects(self._urls[-1])
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(lambda each: store.put_new(*each), objects.items()))

    def version(self) -> CheckedVersion:
        """Give the version of the last ingest."""
        with self._at_last():
            return open_version(verbs.open(self._pid).hsc.record.location)

    def clear(self) -> None:
        """Remove what lies in a bucket."""
        for url in self._urls if self._bucket else ():
            objects = open_objects(url)
            with ThreadPoolExecutor(_THREADS) as threads:
                list(threads.map(objects.delete, objects.keys("")))

    @contextmanager
    def _at_last(self) -> Iterator[None]:
        home, store = self._last
        with state_directory(home, HSC_STORE=store):
            yield


def _logical(version: CheckedVersion) -> dict[str, bytes]:
    """Give the objects of the tree by their keys, as if each were one of its own."""
    found = {e.key: version.read(e.key) for e in version.manifest.entries if e.packed}
    return {key: data for key, data in found.items() if data}
