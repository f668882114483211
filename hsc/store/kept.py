"""Kept packs: a pack of moderate size is fetched once, whatever is read of it."""

from __future__ import annotations

import threading
from collections import OrderedDict

from hsc.store.objects import ObjectStore

KEPT_BYTES = 32 * 2**20
"""A pack of no more is fetched whole and kept; of a larger one only what is asked for."""
_MOST_KEPT_BYTES = 4 * KEPT_BYTES


class KeptPacks:
    """Packs of one version, the last that were read in memory; calls may come from many threads.

    Parameters
    ----------
    objects
        Objects of the version's folder.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Lock] = {}

    def get(self, key: str, nbytes: int, start: int, stop: int) -> bytes:
        """Give a part of a pack.

        Parameters
        ----------
        key, nbytes
            The pack, and its bytes as the manifest tells them.
        start, stop
            First byte, and the one after the last.

        Raises
        ------
        ObjectMissingError
            The pack is not there.
        """
        if nbytes > KEPT_BYTES:
            return self._objects.get(key, start, stop)
        with self._lock:
            fetching = self._fetching.setdefault(key, threading.Lock())
        with fetching:
            data = self._kept.get(key)
            if data is None:
                data = self._objects.get(key)
                self._keep(key, data)
        return data[start:stop]

    def forget(self, key: str) -> None:
        """Fetch a pack anew the next time: what was got of it was wrong."""
        with self._lock:
            self._kept.pop(key, None)

    def _keep(self, key: str, data: bytes) -> None:
        with self._lock:
            self._kept[key] = data
            while sum(map(len, self._kept.values())) > _MOST_KEPT_BYTES:
                self._kept.popitem(last=False)
