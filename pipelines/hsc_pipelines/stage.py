"""PrefectStage: each step of a job as one Prefect task run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from hsc.errors import FlowError, HscError
from hsc_pipelines.prefect_kit import NO_CACHE, Failed, State, task

P = ParamSpec("P")
R = TypeVar("R")


_log = logging.getLogger(__name__)


class _WithoutEmptyTraceback(logging.Filter):
    """Keeps Prefect from logging "NoneType: None" under a step that failed by its state."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        if record.exc_info and record.exc_info[0] is None:
            record.exc_info = None
        return True


logging.getLogger("prefect.task_runs").addFilter(_WithoutEmptyTraceback())


def one_line(error: BaseException) -> str:
    """Say what an error is in one line, as a run's state shows it.

    Examples
    --------
    >>> one_line(HscError("no such file", where="/data/scan.h5", next_step="look again"))
    'HscError: no such file (/data/scan.h5)'
    """
    if isinstance(error, HscError):
        where = f" ({error.where})" if error.where else ""
        text = f"{error.message}{where}"
    else:
        text = str(error)
    return " ".join(f"{type(error).__name__}: {text}".split())


class PrefectStage:
    """Runs each step of a job as a task run of the flow run that surrounds it.

    Prefect sees a step's name, times, log and state, and nothing else: arguments and results are
    plans with a line for each chunk, which Prefect would search for futures and might write to
    disk. Nothing is cached or run again either: the journal beside the data knows what is done.
    """

    runner = "prefect"

    def __init__(self, flow_run_id: str) -> None:
        self.flow_run_id: str | None = flow_run_id

    def __call__(
        self, name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a step.

        Raises
        ------
        FlowError
            Prefect did not run it: the run is being cancelled, or the server went away.
        """
        results: list[R] = []
        errors: list[Exception] = []

        def step() -> State[Any] | None:
            try:
                results.append(function(*args, **kwargs))
            except HscError as error:
                errors.append(error)
                return Failed(message=one_line(error))
            except Exception as error:
                errors.append(error)
                raise
            return None

        run = task(
            name=name.partition(" ")[0],
            # A function, because Prefect would read braces in a file's name as a template.
            task_run_name=lambda: name,
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=0,
        )(step)
        reason, cause = "", None
        try:
            state = run(return_state=True)
            reason = str(state.message or state.name)
        except Exception as error:
            # The step's own errors do not come this way: it is Prefect that failed.
            reason, cause = str(error), error
        if errors:
            raise errors[0]
        if not results:
            raise FlowError(
                f"Prefect did not run the step {name!r}: {reason}",
                where=f"flow run {self.flow_run_id}",
                next_step="look at the flow run's log; the same command again takes up the work",
            ) from cause
        if cause is not None:
            _log.warning("the step %r is done, but Prefect could not note it: %s", name, reason)
        return results[0]
