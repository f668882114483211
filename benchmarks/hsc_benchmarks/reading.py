"""Times reading from a bucket: a whole array, one frame, a pixel's series, a mean image, opening.

Beside each stands how it is done without hsc, in the same run.
"""

from __future__ import annotations

import itertools
import secrets
import statistics
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hsc import jobs, settings, verbs
from hsc.errors import ConfigurationError, HscError
from hsc.reading import OpenedArray, open_dataset, reading_threads
from hsc.store import S3Objects, open_objects
from hsc_benchmarks import bare_reading as bare
from hsc_benchmarks.counting import Counted, count_requests
from hsc_benchmarks.home import state_directory
from hsc_benchmarks.rounds import Arm, time_rounds
from hsc_benchmarks.small import write_small_arrays
from hsc_benchmarks.stacks import PATH, STACKS, write_stack

_STACK = "rewrap-u2"
_ARRAYS = 1000
_SERIES = 1000
_WORKERS = 2


def measure_read(
    *, frames: int, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Time reading from the bucket that HSC_STORE names; all is removed again.

    Parameters
    ----------
    frames
        Frames of 1065 x 1030 pixels, two bytes each, that compress four-fold.
    rounds
        How often each arm is timed.
    folder
        Where the source lies; None: the temporary folder.
    say
        Hears how far it is.

    Raises
    ------
    ConfigurationError
        HSC_STORE names no bucket.
    """
    bucket = settings.store_url().rstrip("/")
    if not bucket.startswith("s3://"):
        raise ConfigurationError(
            f"HSC_STORE={bucket!r} is no bucket", next_step="name one, as in s3://bucket"
        )
    url = f"{bucket}/bench-{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as made:
        try:
            with state_directory(Path(made), HSC_STORE=url):
                bench = _Bench(Path(made), url, frames, say)
                rows = [row for case in bench.cases() for row in _rows(case, rounds, say)]
        finally:
            _remove(url)
    source = {
        "frames": frames,
        "stored_bytes": bench.stored,
        "decoded_bytes": bench.decoded,
        "threads": reading_threads(),
        "arrays": _ARRAYS,
    }
    return {"source": source, "rounds": rounds, "table": rows}


Case = tuple[str, dict[str, Callable[[], object]], Counted]
"""What is read, its arms (ours first), and how our requests are counted."""


def _rows(case: Case, rounds: int, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Time a case; give a row for each arm."""
    name, arms, requests = case
    say(name)
    counts: list[int] = []

    def counted(run: Callable[[], object]) -> Callable[[], None]:
        def ours() -> None:
            requests.clear()
            run()
            counts.append(len(requests))

        return ours

    ready = {
        arm: Arm(lambda: None, counted(run) if arm == "hsc" else run) for arm, run in arms.items()
    }
    times = time_rounds(ready, rounds, say)
    medians = {arm: statistics.median(each) for arm, each in times.items()}
    for arm, each in times.items():
        yield {
            "case": name,
            "arm": arm,
            "median_s": round(medians[arm], 4),
            "least_s": round(min(each), 4),
            "most_s": round(max(each), 4),
            "times_hsc": round(medians[arm] / medians["hsc"], 2),
            "requests": counts[-1] if arm == "hsc" else "",
        }


class _Bench:
    """A stack and a file of many small arrays in a bucket, and what is read of them."""

    def __init__(self, here: Path, url: str, frames: int, say: Callable[[str], None]) -> None:
        say(f"taking in {frames} frames and {_ARRAYS} arrays, by way of {here}")
        stack = here / "stack.h5"
        write_stack(stack, STACKS[_STACK], frames)
        self._pid = _ingest(stack)
        self._small = _ingest(write_small_arrays(here / "small.h5", _ARRAYS))
        self._original = f"{url}/stack.h5"
        open_objects(url).put_new("stack.h5", stack.read_bytes())
        stack.unlink()
        self._record = verbs.open(self._pid).hsc.record
        self._location = self._record.location
        self._frames = frames
        self._draw = np.random.default_rng(0)
        array = self._array()
        self.decoded = array.dtype.itemsize * int(np.prod(array.shape))
        entries = open_dataset(self._record).version.manifest.entries
        self.stored = sum(entry.nbytes for entry in entries)

    def cases(self) -> Iterator[Case]:
        """Go through what is measured."""
        requests = count_requests("s3", S3Objects)
        yield "whole array", self._whole(), requests
        yield "one frame, cold", self._cold(), requests
        yield "one frame, opened before", self._warm(), requests
        yield f"a pixel in {min(_SERIES, self._frames)} frames", self._series(), requests
        yield f"opening {_ARRAYS} arrays", {"hsc": self._open}, requests
        with self._workers():
            # What workers ask for is counted nowhere.
            yield f"mean image, {_WORKERS} workers of Dask", self._mean(), []

    def _array(self) -> OpenedArray:
        return open_dataset(self._record).array(f"/{PATH}")

    def _whole(self) -> dict[str, Callable[[], object]]:
        array, store = self._array(), bare.obstore_at(self._location)
        version, threads = open_dataset(self._record).version, reading_threads()

        def plain(span: bool) -> Callable[[], object]:
            key = f"data.zarr/{PATH}"
            return lambda: bare.read_bare(store, version, key, array.shape, threads, span)

        if not np.array_equal(array.read(), plain(True)()):  # type: ignore[arg-type]
            raise HscError("the two ways of reading differ")
        return {
            "hsc": lambda: array.read().shape,
            "obstore, numcodecs: a request for 8 MiB": plain(True),
            "obstore, numcodecs: a request for a frame": plain(False),
        }

    def _cold(self) -> dict[str, Callable[[], object]]:
        return {
            "hsc": lambda: _frame(verbs.open(self._pid), self._any()),
            "h5py over s3fs on the original": lambda: bare.read_frame_over_s3fs(
                self._original, self._any()
            ),
        }

    def _warm(self) -> dict[str, Callable[[], object]]:
        tree, plain = verbs.open(self._pid), bare.zarr_over_obstore(self._location)
        return {
            "hsc": lambda: _frame(tree, self._any()),
            "zarr-python over obstore": lambda: np.asarray(plain[self._any()]),
        }

    def _series(self) -> dict[str, Callable[[], object]]:
        array, plain = self._array(), bare.zarr_over_obstore(self._location)
        count, (y, x) = min(_SERIES, self._frames), (500, 600)
        ours, theirs = array.region((0, y, x), (count, y + 1, x + 1)), plain[:count, y, x]
        if not np.array_equal(ours[:, 0, 0], theirs):
            raise HscError("the two ways of reading differ")
        return {
            "hsc": lambda: array.region((0, y, x), (count, y + 1, x + 1)),
            "zarr-python over obstore": lambda: plain[:count, y, x],
        }

    def _mean(self) -> dict[str, Callable[[], object]]:
        return {
            "hsc": lambda: verbs.open(self._pid)[PATH].mean(axis=0).compute(),
            "xarray.open_zarr over s3fs": lambda: (
                bare.xarray_over_s3fs(self._location).mean(axis=0).compute()
            ),
        }

    def _open(self) -> object:
        return len(verbs.open(self._small))

    @contextmanager
    def _workers(self) -> Iterator[None]:
        import distributed

        with (
            distributed.LocalCluster(
                n_workers=_WORKERS,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
            ) as cluster,
            distributed.Client(cluster),
        ):
            yield

    def _any(self) -> int:
        return int(self._draw.integers(self._frames))


def _frame(tree: Any, number: int) -> object:
    return tree[PATH][number].to_numpy()


def _ingest(path: Path) -> str:
    report = jobs.ingest(jobs.IngestRequest(paths=(str(path),), verify="none"))
    if report.errors:
        raise HscError(report.errors[0].message, where=report.errors[0].where)
    return str(report.datasets[0].pid)


def _remove(url: str) -> None:
    objects = open_objects(url)
    with ThreadPoolExecutor(8) as threads:
        list(itertools.chain(threads.map(objects.delete, objects.keys(""))))
