"""Walking a store's log: every attempt that can be read, and what can't."""

from __future__ import annotations

from hsc.errors import HscError
from hsc.jobs.requests import PathFailure
from hsc.store import Attempt, ObjectStore, count_attempts, read_attempt


def walk_log(objects: ObjectStore) -> tuple[list[Attempt], list[PathFailure]]:
    """Give all attempts of a store's log in their order, and the lines that can't be read."""
    attempts: list[Attempt] = []
    failures: list[PathFailure] = []
    for number in range(count_attempts(objects)):
        try:
            attempt = read_attempt(objects, number)
        except HscError as error:
            failures.append(PathFailure(path=f".attempts/{number}", **error.document()))
        else:
            attempts += [attempt] if attempt is not None else []
    return attempts, failures
