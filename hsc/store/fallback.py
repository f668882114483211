"""Several copies of one version: what the first can't give is read from the next."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hsc.errors import DamageError, HscError, StoreError, StoreUnavailableError
from hsc.store.copies import VersionCopy, open_copy
from hsc.store.disk_cache import DiskCache
from hsc.store.manifest import ObjectEntry
from hsc.store.ranges import Part
from hsc.store.stubs import unfetched
from hsc.store.windows import ReadsInto

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
    cache
        Keeps what was read; None: nothing does.
    """

    def __init__(self, first: VersionCopy, others: Sequence[str], cache: DiskCache | None) -> None:
        self._cache = cache
        self._open = [first]
        # Asked once: to look whether a store has what a protocol names takes as long as to read.
        self._reads_into = first.objects if isinstance(first.objects, ReadsInto) else None
        self._unopened = list(others)
        # Not asked again before all others: a store that does not answer is waited for long.
        self._away: set[int] = set()
        self._told: set[int] = set()
        self._lock = threading.Lock()

    def read(self, entry: ObjectEntry, part: tuple[int, int] | None, check: Check[T]) -> T:
        """Give a part of an object, or the whole, from the cache or the first copy that has it.

        Raises
        ------
        DamageError, StoreUnavailableError
            The first copy's, when none can give it.
        """
        bounds = part or (0, entry.nbytes)
        kept = self._recall(entry, bounds, check)
        if kept is not None:
            return kept

        def check_and_keep(data: Part, where: str) -> T:
            found = check(data, where)
            self._keep(entry, bounds, data)
            return found

        return self._ask(entry.key, part, check_and_keep)

    def read_parts(
        self,
        entry: ObjectEntry,
        parts: Sequence[tuple[int, int]],
        check: Callable[[int, Part, str], None],
    ) -> list[Part]:
        """Give parts of an object that lie together: those that no cache has, by one request.

        Parameters
        ----------
        entry, parts
            The object; first byte of each part, and the one after the last.
        check
            Raises CorruptShardError when the part of that number is wrong.

        Raises
        ------
        DamageError, StoreUnavailableError
            As `read`.
        """

        def checked(number: int, data: Part, where: str) -> Part:
            check(number, data, where)
            return data

        found = [self._recall(entry, p, partial(checked, n)) for n, p in enumerate(parts)]
        missing = [n for n, part in enumerate(found) if part is None]
        if missing:
            first, last = min(parts[n][0] for n in missing), max(parts[n][1] for n in missing)

            def cut(data: Part, where: str) -> list[Part]:
                view = memoryview(data)
                cuts = [view[parts[n][0] - first : parts[n][1] - first] for n in missing]
                return [checked(n, part, where) for n, part in zip(missing, cuts, strict=True)]

            for n, part in zip(missing, self._ask(entry.key, (first, last), cut), strict=True):
                found[n] = part
                self._keep(entry, parts[n], part)
        return [part for part in found if part is not None]

    def straight(self) -> ReadsInto | None:
        """Give the first copy's store when it reads into memory and no cache stands before it."""
        return None if self._cache is not None or 0 in self._away else self._reads_into

    def read_straight(
        self,
        entry: ObjectEntry,
        parts: Sequence[tuple[int, int]],
        check: Callable[[int, Part, str], None],
        buffer: NDArray[np.uint8],
    ) -> list[Part] | None:
        """Give parts of an object as `read_parts`, as views of a buffer.

        Returns
        -------
        parts
            None when `read_parts` has to: the object is reached another way, or something is
            wrong, which is tried anew there, and told.
        """
        store = self.straight()
        if store is None or entry.packed:
            return None
        first, last = min(low for low, _ in parts), max(high for _, high in parts)
        where = self._open[0].where(entry.key)
        found = list[Part]()
        try:
            with store.reading(entry.key, first) as read:
                got = 0
                while got < last - first and (more := read(buffer[got : last - first])):
                    got += more
                view = buffer.data[:got].toreadonly()
                for number, (low, high) in enumerate(parts):
                    found.append(view[low - first : high - first])
                    check(number, found[-1], where)
        except (DamageError, StoreError) as error:
            _LOG.debug("%s: %s; read once more", error.message, error.where)
            return None
        return found

    def _recall(self, entry: ObjectEntry, part: tuple[int, int], check: Check[T]) -> T | None:
        """Give a part from the cache; what is wrong there is dropped."""
        data = None if self._cache is None else self._cache.get(entry.digest, *part)
        if data is None or self._cache is None:
            return None
        try:
            return check(data, "the cache")
        except DamageError:
            self._cache.drop(entry.digest, *part)
            return None

    def _keep(self, entry: ObjectEntry, part: tuple[int, int], data: Part) -> None:
        if self._cache is not None:
            self._cache.put(entry.digest, *part, data)

    def _ask(self, key: str, part: tuple[int, int] | None, check: Check[T]) -> T:
        first: HscError | None = None
        for number, copy in self._each():
            try:
                found = _read_twice(copy, key, part, check)
            except HscError as error:
                if first is None and not isinstance(error, DamageError | StoreUnavailableError):
                    raise  # a refusal, for one: nothing is wrong with the copy
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
        if number < len(self._open):  # others read on while a further one is opened
            return self._open[number]
        with self._lock:
            while len(self._open) <= number:
                if not self._unopened:
                    return None
                location = self._unopened.pop(0)
                try:
                    self._open.append(open_copy(location, self._open[0].manifest.root))
                except HscError as error:
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
    try:
        return attempt()
    except DamageError as error:
        raise unfetched(copy.objects, key) or error from error.__cause__
