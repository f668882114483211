"""A zarr store that reads one version through its manifest, so that zarr never sees a wrong byte.

zarr-python 3.1 gives the fill value for an object that is missing. Here an object that should be
there and is not raises, as does one with wrong bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype

from hsc.errors import StoreError
from hsc.store.checked import CheckedVersion
from hsc.store.disk_cache import open_cache
from hsc.store.opening import open_version
from hsc.store.writing import DATA


class CheckedStore(Store):
    """The Zarr tree of a version, read only.

    Parameters
    ----------
    location
        URL of the version's folder.
    version
        The version, when it is open already.
    others
        Folders of further copies of the version.
    root
        The version's root, when it is not open; None: any.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = True
    supports_partial_writes = False

    def __init__(
        self,
        location: str,
        version: CheckedVersion | None = None,
        others: Sequence[str] = (),
        root: str | None = None,
    ) -> None:
        super().__init__(read_only=True)
        self._location = location
        self._others = tuple(others)
        self._version = version or open_version(
            location, others=others, root=root, cache=open_cache()
        )
        self._is_open = True

    def __getstate__(self) -> dict[str, Any]:
        # A worker opens the version itself, with its own credentials.
        root = self._version.manifest.root
        return {"location": self._location, "others": self._others, "root": root}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CheckedStore) and other._location == self._location

    def __hash__(self) -> int:
        return hash(self._location)

    def __str__(self) -> str:
        return f"{self._location}/{DATA}"

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Give an object or a part of it, checked; None when it is rightly absent."""
        data = await asyncio.to_thread(self._read, f"{DATA}/{key}", byte_range)
        return None if data is None else prototype.buffer.from_bytes(data)

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Give several parts at once."""
        return list(
            await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges))
        )

    async def exists(self, key: str) -> bool:
        """Tell whether the version has an object."""
        entry = self._version.entry(f"{DATA}/{key}")
        return entry is not None and not entry.absent

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse: what was committed is never changed."""
        raise StoreError("a committed version can't be changed", where=f"{self}/{key}")

    async def set_partial_values(self, key_start_values: Iterable[tuple[str, int, Any]]) -> None:
        """Refuse too: the lowest zarr that is promised has this method of all stores."""
        for key, _, _ in key_start_values:
            raise StoreError("a committed version can't be changed", where=f"{self}/{key}")

    async def delete(self, key: str) -> None:
        """Refuse: what was committed is never changed."""
        raise StoreError("a committed version can't be changed", where=f"{self}/{key}")

    async def list(self) -> AsyncIterator[str]:
        """Go through all keys, from the manifest."""
        for key in self._keys():
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Go through the keys that begin with a prefix."""
        for key in self._keys():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Go through the names right below a prefix, each once."""
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        below = (key[len(folder) :] for key in self._keys() if key.startswith(folder))
        for name in dict.fromkeys(rest.split("/", 1)[0] for rest in below):
            yield name

    def _keys(self) -> tuple[str, ...]:
        there = (entry.key for entry in self._version.manifest.entries if not entry.absent)
        return tuple(key.removeprefix(f"{DATA}/") for key in there if key.startswith(f"{DATA}/"))

    def _read(self, key: str, byte_range: ByteRequest | None) -> bytes | None:
        version = self._version
        match byte_range:
            case None:
                version.refuse_gaps(key)
                return version.read(key)
            case RangeByteRequest(start=start, end=end):
                return version.read_range(key, start, end)
            case OffsetByteRequest(offset=offset):
                return version.read_range(key, offset, None)
            case SuffixByteRequest(suffix=suffix):
                entry = version.entry(key)
                size = 0 if entry is None else entry.nbytes
                return version.read_range(key, max(0, size - suffix), None)
        raise StoreError(f"unknown byte range {byte_range!r}", where=key)
