"""Where work runs: threads, a local cluster, or any Dask scheduler, behind one map over tasks."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol, TypeVar

from hsc.errors import WorkStoppedError
from hsc.workers.bounds import Bounds
from hsc.workers.budget import MemoryBudget, check_needs
from hsc.workers.children import end_children
from hsc.workers.cluster import ClusterWorkers
from hsc.workers.progress import Progress, Silent
from hsc.workers.sharing import Crew
from hsc.workers.stopping import Stop, settled
from hsc.workers.turns import Turns

T = TypeVar("T")
R = TypeVar("R")

_UNBOUNDED = Bounds()
# Each worker has a processor of its own: threads of libraries would be in the others' way.
_ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "RAYON")
} | {"BLOSC_NTHREADS": "1"}
# After Ctrl-C, for what runs to come to the next part it writes.
_PATIENCE_S = 1.5


class Workers(Protocol):
    """Runs a function over tasks in parallel."""

    count: int
    """How many tasks run at once."""

    @property
    def processes(self) -> int:
        """Processes that share the work."""
        ...

    def map(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        progress: Progress | None = None,
        weights: Sequence[int] | None = None,
        needs: Sequence[int] | None = None,
        waiting: bool = False,
    ) -> list[R]:
        """Give each task's result, in the order of the tasks.

        The first error stops the rest; of those that then have failed the first by task is raised,
        whichever came first. ``weights`` are the units that each task
        advances the progress by, by default one; ``needs`` are the bytes of memory that it takes.
        With ``waiting`` tasks wait for a store much of their time: in threads twice as many are
        under way, of which no more than `count` are at work (`at_work`).

        Raises
        ------
        ConfigurationError
            A task needs more memory than all may take together.
        WorkersLostError
            Workers died one after another, or with their scheduler.
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

    def everywhere(self, function: Callable[[T], R], task: T) -> dict[str, R | Exception]:
        """Run a function once in each other process; give its results and errors by address."""
        ...


@contextmanager
def open_workers(
    spec: str, count: int | None = None, bounds: Bounds = _UNBOUNDED
) -> Iterator[Workers]:
    """Open a place to work.

    Parameters
    ----------
    spec
        ``threads``, ``processes`` (a local cluster on loopback), or a Dask scheduler's address.
    count
        How many tasks at once; None: as many as this process may use processors. A scheduler's
        own workers decide for themselves.
    bounds
        What they may take together.
    """
    number = count or available_cpus()
    if spec == "threads":
        yield ThreadWorkers(number, bounds)
        return
    # distributed costs a second to import; work in threads does without it.
    import distributed

    if spec == "processes":
        with (
            distributed.LocalCluster(
                n_workers=number,
                threads_per_worker=1,
                env=_ONE_THREAD,
                processes=True,
                host="127.0.0.1",
                # Any free port: the one that is usual may be another cluster's.
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                # A task's error comes back to us; workers need not print it as well.
                silence_logs=logging.CRITICAL,
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            yield ClusterWorkers(client, number, bounds)
        return
    with distributed.Client(spec, set_as_default=False, timeout="30s") as client:
        threads = max(1, sum(client.nthreads().values()))
        yield ClusterWorkers(client, count or threads, bounds)


def available_cpus() -> int:
    """Give the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ThreadWorkers:
    """Runs tasks on Dask's threaded scheduler in this process."""

    processes = 1

    def __init__(self, count: int, bounds: Bounds = _UNBOUNDED) -> None:
        self.count = count
        self._bounds = bounds
        self._pace = bounds.pace(processes=1)

    def map(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        progress: Progress | None = None,
        weights: Sequence[int] | None = None,
        needs: Sequence[int] | None = None,
        waiting: bool = False,
    ) -> list[R]:
        """Give each task's result, in order."""
        check_needs(needs or (), self._bounds.memory)
        if not tasks:
            return []
        # dask costs 0.2 s to import; `hsc inspect` does without it.
        import dask.threaded

        heard, units = progress or Silent(), weights or [1] * len(tasks)
        budget = MemoryBudget(self._bounds.memory if needs else None)
        stop, turns = Stop(self._pace), Turns(self.count)
        # Where tasks wait for a store more threads than processors have tasks: none is to spare.
        crew = None if waiting else Crew(len(tasks), self.count)
        failures: dict[int, Exception] = {}
        each = zip(tasks, units, needs or [0] * len(tasks), strict=True)
        calls = [
            _Call(function, task, heard, amount, budget, need, stop, turns, crew, failures, number)
            for number, (task, amount, need) in enumerate(each)
        ]
        # Of tasks that hang on nothing Dask begins with the last by name; without one, with any.
        graph = [
            dask.delayed(call, pure=False)(dask_key_name=f"hsc-{len(calls) - number:09}")
            for number, call in enumerate(calls)
        ]
        pool = ThreadPoolExecutor(self.count * (1 + waiting), thread_name_prefix="hsc")
        try:
            if crew:
                for _ in range(self.count - len(tasks)):
                    pool.submit(_help, crew, stop)
            # Asked for by its name, Dask looks for a client first and so imports distributed.
            results: tuple[R, ...] = dask.compute(
                *graph, scheduler=dask.threaded.get, pool=pool, optimize_graph=False
            )
        except BaseException as error:
            stop.set()
            if crew:
                crew.end()
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(error, Exception):
                # None goes on writing behind the back of whoever cleans up.
                pool.shutdown(wait=True)
                first = failures[min(failures)] if failures else error
                if first is not error:
                    raise first from None
            else:  # Ctrl-C waits for no child process, and for nothing else very long
                end_children(working=True)
                settled(_PATIENCE_S)
            raise
        pool.shutdown(wait=True)
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

    def everywhere(self, function: Callable[[T], R], task: T) -> dict[str, R | Exception]:
        """Run nothing: threads are no other process."""
        return {}


class _Call:
    """A function with its task inside, where Dask does not look, and who hears of its end."""

    def __init__(
        self,
        function: Callable[[Any], Any],
        task: Any,
        heard: Progress,
        amount: int,
        budget: MemoryBudget,
        need: int,
        stop: Stop,
        turns: Turns,
        crew: Crew | None,
        failures: dict[int, Exception],
        number: int,
    ) -> None:
        self._failures = failures
        self._number = number
        self._function = function
        self._task = task
        self._heard = heard
        self._amount = amount
        self._budget = budget
        self._need = need
        self._stop = stop
        self._turns = turns
        self._crew = crew

    def __call__(self) -> Any:
        joined = self._crew.joined() if self._crew else nullcontext()
        with self._budget.taking(self._need), self._stop.heard(), self._turns.offered(), joined:
            self._stop.check()
            try:
                result = self._function(self._task)
            except WorkStoppedError:
                raise
            except Exception as error:
                self._failures[self._number] = error
                raise
        self._heard.advance(self._amount)
        if self._crew:
            with self._stop.heard():
                self._crew.end_task()
        return result


def _help(crew: Crew, stop: Stop) -> None:
    """Help those who have tasks, where there are more threads than tasks."""
    with stop.heard():
        crew.help()
