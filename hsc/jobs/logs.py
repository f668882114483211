"""Walking a store's log: every attempt that can be read, and what can't."""

from __future__ import annotations

from hsc.errors import HscError, ManifestError
from hsc.jobs.requests import PathFailure
from hsc.store import Attempt, ObjectStore, abreast, count_attempts, read_attempt


def walk_log(objects: ObjectStore) -> tuple[list[Attempt], list[PathFailure]]:
    """Give all attempts of a store's log in their order, and the lines that can't be read."""
    numbers = range(count_attempts(objects))
    lines = abreast(lambda number: _line(objects, number), numbers)
    attempts = [line for line in lines if isinstance(line, Attempt)]
    return attempts, [line for line in lines if isinstance(line, PathFailure)]


def _line(objects: ObjectStore, number: int) -> Attempt | PathFailure:
    try:
        attempt = read_attempt(objects, number)
    except HscError as error:
        return PathFailure(path=f".attempts/{number}", **error.document())
    return _lost(objects, number) if attempt is None else attempt


def _lost(objects: ObjectStore, number: int) -> PathFailure:
    key = f".attempts/{number}"
    failure = ManifestError(
        "a line of the store's log is gone: what its attempt wrote can't be found",
        where=f"{objects.url}/{key}",
        next_step="restore it from a copy of the store",
    )
    return PathFailure(path=key, **failure.document())
