"""The place where a job works: what ``HSC_DASK`` names, opened with an error that says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hsc import settings
from hsc.errors import ConfigurationError, WorkersLostError
from hsc.workers import Bounds, Workers, open_workers


@contextmanager
def named_workers(
    count: int | None, *, memory: int | None = None, max_rate: int | None = None
) -> Iterator[Workers]:
    """Open the workers that ``HSC_DASK`` names.

    Parameters
    ----------
    count
        How many tasks at once; None: as many as there are processors.
    memory
        Bytes that tasks may need together; None: not bounded.
    max_rate
        Bytes a second that they write; None: not bounded.

    Raises
    ------
    ConfigurationError
        ``HSC_DASK`` names no place to work, or a scheduler that can't be reached.
    WorkersLostError
        Processes of a local cluster did not start.
    """
    spec = settings.dask()
    with ExitStack() as stack:
        try:
            workers = stack.enter_context(open_workers(spec, count, Bounds(memory, max_rate)))
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"the Dask scheduler can't be reached: {error}",
                where=f"HSC_DASK={spec}",
                next_step="check the address and start it, or unset HSC_DASK to work in this "
                "process",
            ) from error
        except RuntimeError as error:  # distributed's word for a worker that died in its cradle
            raise WorkersLostError(
                f"the workers did not start: {error}",
                where=f"HSC_DASK={spec}",
                next_step="look for memory and processes to be had here; HSC_DASK=threads needs "
                "no other processes",
            ) from error
        yield workers
