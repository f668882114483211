"""Several copies of one version: what the first can't give is read from the next."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from hsc.errors import DamageError, HscError, StoreError, StoreUnavailableError
from hsc.store.copies import VersionCopy, open_copy
from hsc.store.ranges import Part

T = TypeVar("T")
Check = Callable[[Part, str], T]
"""Gives what was read of a part; raises CorruptShardError, with where it lies, when it is wrong."""

_LOG = logging.getLogger(__name__)


class Copies:
    """The copies of one version; calls may come from many threads.

    Parameters
    ----------
    first
        The copy that is read while it can be.
    others
        URLs of further ones; one is opened when it is needed, and passed over when it is of
        another root or can't be read.
    """

    def __init__(self, first: VersionCopy, others: Sequence[str]) -> None:
        self._open = [first]
        self._unopened = list(others)
        # Not asked again before all others: a store that does not answer is waited for long.
        self._away: set[int] = set()
        self._told: set[int] = set()
        self._lock = threading.Lock()

    def read(self, key: str, part: tuple[int, int] | None, check: Check[T]) -> T:
        """Give a part of an object, or the whole, from the first copy that has it as it should be.

        Raises
        ------
        DamageError, StoreUnavailableError
            The first copy's, when none can give it.
        """
        first: HscError | None = None
        for number, copy in self._each():
            try:
                found = _read_twice(copy, key, part, check)
            except (DamageError, StoreUnavailableError) as error:
                if isinstance(error, StoreUnavailableError):
                    self._away.add(number)
                first = first or error
                continue
            if first is not None:
                self._tell(first, number, copy)
            return found
        raise first or AssertionError("a version has at least one copy")

    def _each(self) -> Iterator[tuple[int, VersionCopy]]:
        away = sorted(self._away)
        number = 0
        while (copy := self._copy(number)) is not None:
            if number not in away:
                yield number, copy
            number += 1
        for number in away:
            yield number, self._open[number]

    def _copy(self, number: int) -> VersionCopy | None:
        with self._lock:
            while len(self._open) <= number:
                if not self._unopened:
                    return None
                location = self._unopened.pop(0)
                try:
                    self._open.append(open_copy(location, self._open[0].manifest.root))
                except StoreError as error:
                    _LOG.warning("another copy can't be read: %s: %s", error.message, error.where)
            return self._open[number]

    def _tell(self, error: HscError, number: int, copy: VersionCopy) -> None:
        """Say that a copy stood in for another; aloud once for each."""
        level = logging.DEBUG if number in self._told else logging.WARNING
        self._told.add(number)
        tell_fallback(error, copy, level)


def tell_fallback(error: HscError, copy: VersionCopy, level: int = logging.WARNING) -> None:
    """Say that a copy stood in for another, and why."""
    _LOG.log(level, "%s: %s; read from %s instead", error.message, error.where, copy.objects.url)


def _read_twice(copy: VersionCopy, key: str, part: tuple[int, int] | None, check: Check[T]) -> T:
    def attempt() -> T:
        data = copy.get(key, None if part is None else [part])[0]
        return check(data, copy.where(key))

    # One fresh try: a proxy or a cache may have cut an answer short.
    try:
        return attempt()
    except DamageError:
        copy.forget(key)
        return attempt()
