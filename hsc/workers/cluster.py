"""Tasks on the workers of a Dask scheduler: a bounded number in flight, and their fates."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from hsc.errors import HscError, WorkersLostError
from hsc.workers.bounds import Bounds, paced
from hsc.workers.budget import check_needs
from hsc.workers.progress import Progress, Silent

T = TypeVar("T")
R = TypeVar("R")

_UNBOUNDED = Bounds()
_IN_FLIGHT_PER_WORKER = 2
_SETTLE_S = 120
_STOP_S = 1.5
_LOOK_S = 2.0
_LOST_NEXT = (
    "look into the scheduler's and the workers' logs; the same command then goes on where it was "
    "(a reduction begins anew)"
)


class ClusterWorkers:
    """Runs tasks on the workers of a Dask scheduler.

    A worker that dies costs the tasks that it held: the scheduler gives them to others.

    Parameters
    ----------
    client
        The scheduler's client.
    count
        How many tasks run at once.
    bounds
        What tasks in flight may take together.
    patience_s
        How long there may be no worker at all.
    """

    def __init__(
        self, client: Any, count: int, bounds: Bounds = _UNBOUNDED, *, patience_s: float = 60.0
    ) -> None:
        self.count = count
        self._client = client
        self._bounds = bounds
        self._patience_s = patience_s

    @property
    def processes(self) -> int:
        """Processes that share the work."""
        return max(1, len(self._addresses()))

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
        """Give each task's result, in order; how many are under way is the workers' to say."""
        results: dict[int, R] = {}
        self._each(function, tasks, results.__setitem__, progress, weights, needs)
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
        self._each(function, tasks, lambda _, result: take(result), progress, weights, None)

    def everywhere(self, function: Callable[[T], R], task: T) -> dict[str, R | Exception]:
        """Run a function once in each process, and give what came of it by the worker's address."""
        futures = {
            address: self._client.submit(
                function, task, workers=[address], allow_other_workers=False, pure=False
            )
            for address in self._addresses()
        }
        until = time.monotonic() + _SETTLE_S
        return {address: _outcome(future, until) for address, future in futures.items()}

    def _each(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        take: Callable[[int, R], None],
        progress: Progress | None,
        weights: Sequence[int] | None,
        needs: Sequence[int] | None,
    ) -> None:
        heard = progress or Silent()
        if self._bounds.max_rate is not None:
            function = paced(function, self._bounds.pace(self.processes))
        memory = self._bounds.memory if needs is not None else None
        check_needs(needs or (), memory)
        arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        waiting = deque(range(len(tasks)))
        flying: dict[Any, int] = {}
        used = index = 0
        try:
            while waiting or flying:
                while waiting and len(flying) < self.count * _IN_FLIGHT_PER_WORKER:
                    need = needs[waiting[0]] if needs else 0
                    if memory is not None and used + need > memory:
                        break
                    index = waiting.popleft()
                    future = self._client.submit(function, tasks[index], pure=False)
                    flying[future] = index
                    used += need
                    future.add_done_callback(arrived.put)
                future = self._next(arrived)
                index = flying.pop(future)
                used -= needs[index] if needs else 0
                take(index, _result(future))
                heard.advance(weights[index] if weights else 1)
        except WorkersLostError:
            self._client.cancel(list(flying))  # nobody is there to wait for
            raise
        except Exception:
            # What runs on a worker can't be stopped: wait for it, as threads do.
            errors = {flying[each]: said for each, said in self._settle(flying, _SETTLE_S).items()}
            if errors and min(errors) < index:  # whichever came first, the same one is told
                raise errors[min(errors)] from None
            raise
        except BaseException:  # Ctrl-C waits for nothing very long
            self._settle(flying, _STOP_S)
            raise

    def _next(self, arrived: queue.SimpleQueue[Any]) -> Any:
        """Wait for the next task to end; give up when there is nobody left to end it."""
        alone_since: float | None = None
        while True:
            try:
                return arrived.get(timeout=_LOOK_S)
            except queue.Empty:
                if self._addresses():
                    alone_since = None
                    continue
            alone_since = alone_since or time.monotonic()
            if time.monotonic() - alone_since > self._patience_s:
                raise WorkersLostError(
                    f"there has been no worker for {self._patience_s:.0f} s",
                    where=self._scheduler(),
                    next_step=_LOST_NEXT,
                )

    def _addresses(self) -> list[str]:
        # A scheduler that went away answers with one of many errors: it has no workers.
        with suppress(Exception):
            return sorted(self._client.nthreads())
        return []

    def _scheduler(self) -> str:
        scheduler = self._client.scheduler
        return str(scheduler.address) if scheduler is not None else "no scheduler"

    def _settle(self, flying: Iterable[Any], seconds: float) -> dict[Any, HscError]:
        """Wait for tasks to end and drop them; give the errors of those that failed."""
        until = time.monotonic() + seconds
        errors: dict[Any, HscError] = {}
        for future in flying:
            with suppress(Exception):  # one that never ends has no error to tell
                said = future.exception(timeout=max(0.01, until - time.monotonic()))
                if isinstance(said, HscError):
                    errors[future] = said
        self._client.cancel(list(flying))
        return errors


def _result(future: Any) -> Any:
    """Give what a task gave, or raise what it raised."""
    import distributed
    from distributed.comm import CommClosedError

    try:
        return future.result()
    except distributed.KilledWorker as error:
        raise WorkersLostError(
            "workers died one after another with the same task: it crashes them, or needs more "
            "memory than they have",
            where=str(error.last_worker.address),
            next_step="give workers more memory, or allow less at once with --memory; with "
            "--isolate a file can't crash them",
        ) from error
    except (distributed.client.FutureCancelledError, CommClosedError) as error:
        raise WorkersLostError(
            f"the scheduler went away, and its tasks with it: {error}", next_step=_LOST_NEXT
        ) from error


def _outcome(future: Any, until: float) -> Any:
    """Give what a task gave or raised."""
    try:
        return future.result(timeout=max(0.1, until - time.monotonic()))
    except TimeoutError:
        future.cancel()
        return TimeoutError(f"no answer for {_SETTLE_S} s")
    except Exception as error:  # a worker's own, to be told with its address
        return error
