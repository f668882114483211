"""Where work runs: threads, a local cluster, or any Dask scheduler, behind one map over tasks."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from hsc.store import end_waits_with
from hsc.workers.children import end_children
from hsc.workers.progress import Progress, Silent

T = TypeVar("T")
R = TypeVar("R")

_IN_FLIGHT_PER_WORKER = 2
_SETTLE_S = 120


class Workers(Protocol):
    """Runs a function over tasks in parallel."""

    count: int
    """How many tasks run at once."""

    def map(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        progress: Progress | None = None,
        weights: Sequence[int] | None = None,
    ) -> list[R]:
        """Give each task's result, in the order of the tasks.

        The first error stops the rest and is raised. ``weights`` are the units that each task
        advances the progress by; by default one.
        """
        ...

    def fold(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        take: Callable[[R], None],
        *,
        progress: Progress | None = None,
        weights: Sequence[int] | None = None,
    ) -> None:
        """Hand each task's result over as it comes, one at a time, and keep none: for large ones.

        The order is that of their coming. Errors and ``weights`` are as in `map`.
        """
        ...


@contextmanager
def open_workers(spec: str, count: int | None = None) -> Iterator[Workers]:
    """Open a place to work.

    Parameters
    ----------
    spec
        ``threads``, ``processes`` (a local cluster on loopback), or a Dask scheduler's address.
    count
        How many tasks at once; None: as many as this process may use processors. A scheduler's
        own workers decide for themselves.
    """
    number = count or available_cpus()
    if spec == "threads":
        yield ThreadWorkers(number)
        return
    # distributed costs a second to import; work in threads does without it.
    import distributed

    if spec == "processes":
        with (
            distributed.LocalCluster(
                n_workers=number,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                # A task's error comes back to us; workers need not print it as well.
                silence_logs=logging.CRITICAL,
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            yield ClusterWorkers(client, number)
        return
    with distributed.Client(spec, set_as_default=False, timeout="30s") as client:
        yield ClusterWorkers(client, count or max(1, sum(client.nthreads().values())))


def available_cpus() -> int:
    """Give the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ThreadWorkers:
    """Runs tasks on Dask's threaded scheduler in this process."""

    def __init__(self, count: int) -> None:
        self.count = count

    def map(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        progress: Progress | None = None,
        weights: Sequence[int] | None = None,
    ) -> list[R]:
        """Give each task's result, in order."""
        if not tasks:
            return []
        # dask costs 0.2 s to import; `hsc inspect` does without it.
        import dask

        heard = progress or Silent()
        units = weights or [1] * len(tasks)
        graph = [
            dask.delayed(_Call(function, task, heard, amount), pure=False)()
            for task, amount in zip(tasks, units, strict=True)
        ]
        # Leaving the pool waits for the tasks that run: after an error none of them goes on
        # writing behind the back of whoever cleans up. Those that wait for a store stop waiting.
        over = threading.Event()
        with ThreadPoolExecutor(
            self.count, thread_name_prefix="hsc", initializer=end_waits_with, initargs=(over,)
        ) as pool:
            try:
                results: tuple[R, ...] = dask.compute(
                    *graph, scheduler="threads", pool=pool, optimize_graph=False
                )
            except BaseException as error:
                over.set()
                pool.shutdown(wait=False, cancel_futures=True)
                if not isinstance(error, Exception):  # Ctrl-C waits for no child process
                    end_children(working=True)
                raise
        return list(results)

    def fold(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        take: Callable[[R], None],
        *,
        progress: Progress | None = None,
        weights: Sequence[int] | None = None,
    ) -> None:
        """Hand each task's result over as it comes."""
        turn = threading.Lock()

        def run(task: T) -> None:
            result = function(task)
            with turn:
                take(result)

        self.map(run, tasks, progress=progress, weights=weights)


class ClusterWorkers:
    """Runs tasks on the workers of a Dask scheduler, a bounded number in flight."""

    def __init__(self, client: Any, count: int) -> None:
        self.count = count
        self._client = client

    def map(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        progress: Progress | None = None,
        weights: Sequence[int] | None = None,
    ) -> list[R]:
        """Give each task's result, in order."""
        results: dict[int, R] = {}
        self._each(function, tasks, results.__setitem__, progress, weights)
        return [results[index] for index in range(len(tasks))]

    def fold(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        take: Callable[[R], None],
        *,
        progress: Progress | None = None,
        weights: Sequence[int] | None = None,
    ) -> None:
        """Hand each task's result over as it comes."""
        self._each(function, tasks, lambda _, result: take(result), progress, weights)

    def _each(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        take: Callable[[int, R], None],
        progress: Progress | None,
        weights: Sequence[int] | None,
    ) -> None:
        import distributed

        heard = progress or Silent()
        waiting = iter(enumerate(tasks))
        flying: dict[Any, tuple[int, Any]] = {}
        # Named by its loop: the client is nobody's default.
        done = distributed.as_completed(loop=self._client.loop)
        try:
            for index, task in waiting:
                future = self._client.submit(function, task, pure=False)
                flying[future.key] = index, future
                done.add(future)
                if len(flying) >= self.count * _IN_FLIGHT_PER_WORKER:
                    break
            for future in done:
                index, _ = flying.pop(future.key)
                take(index, future.result())
                heard.advance(weights[index] if weights else 1)
                following = next(waiting, None)
                if following is not None:
                    another = self._client.submit(function, following[1], pure=False)
                    flying[another.key] = following[0], another
                    done.add(another)
        except BaseException:
            # What runs on a worker can't be stopped: wait for it, as threads do.
            self._settle([future for _, future in flying.values()])
            raise

    def _settle(self, flying: Sequence[Any]) -> None:
        for future in flying:
            with suppress(Exception):  # its error is not the one to tell
                future.exception(timeout=_SETTLE_S)
        self._client.cancel(list(flying))


class _Call:
    """A function with its task inside, where Dask does not look, and who hears of its end."""

    def __init__(
        self, function: Callable[[Any], Any], task: Any, heard: Progress, amount: int
    ) -> None:
        self._function = function
        self._task = task
        self._heard = heard
        self._amount = amount

    def __call__(self) -> Any:
        result = self._function(self._task)
        self._heard.advance(self._amount)
        return result
