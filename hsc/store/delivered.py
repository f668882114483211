"""Objects of one version as its catalog's server delivers them: to whoever may see it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hsc.errors import (
    HscError,
    ObjectMissingError,
    StoreError,
    StoreRefusedError,
)
from hsc.store.admission import admit_delivery
from hsc.store.manifest import MANIFEST_KEY, Manifest
from hsc.store.objects import ObjectStore, checked_key
from hsc.store.origins import origin_of
from hsc.store.ranges import Part, at_once
from hsc.store.read_only import ReadOnlyObjects
from hsc.store.retrying import Patience
from hsc.store.tokens import token_headers
from hsc.store.web import ask_patiently, read_range, send

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_BATCH = 100
_PREVIEW = "preview/"
_SHARE_USED = 0.8  # of the time that an address holds; what is on its way then still gets there
_ADVICE = "sign in to the catalog (HSC_TOKEN or `hsc login`), or ask who shares the dataset"
_SHOWS_KEYS = 2**26  # bytes; a manifest is rarely larger


@dataclass(frozen=True, slots=True)
class _Address:
    """Where an object can be got."""

    url: str
    """Address, with its signature when it leads to a bucket."""
    until: float
    """When it is asked for anew, by the monotonic clock."""
    own: bool
    """Whether it is the catalog's own server, which wants the token."""


class DeliveredObjects(ReadOnlyObjects):
    """Objects of one version of a dataset, by way of its catalog's server; read only.

    The server is asked where objects can be got, many at once. It names short-lived addresses in
    a bucket, which are asked directly and never see the catalog's token, or its own, which give
    ranges. An address that has expired is asked for anew.

    Parameters
    ----------
    url
        ``hsc+https://host/v1/datasets/<prefix>/<id>@<n>``.
    patience
        How long a server that does not answer is waited for.
    """

    kind = "what a catalog delivers"

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self.url = url.rstrip("/")
        self._base = self.url.removeprefix("hsc+")
        self._origin = origin_of(self._base)
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._addresses: dict[str, _Address] = {}
        self._listed: dict[str, int] = {}

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""
        if stop is not None and stop <= start:
            if self.size(key) is None:
                raise ObjectMissingError("no such object", where=f"{self.url}/{key}")
            return b""
        data = self._read(
            key, lambda at, headers: read_range(at.url, start, stop, f"{self.url}/{key}", headers)
        )
        if key == MANIFEST_KEY and start == 0 and stop is None:
            self._list(data)
        return data

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[Part]:
        """Give many parts of an object."""
        return at_once(lambda each: self.get(key, *each), ranges)

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes."""

        # Not by HEAD: an address that was signed for GET is for nothing else.
        def ask(at: _Address, headers: dict[str, str]) -> int:
            where = f"{self.url}/{key}"
            answer = send("GET", at.url, where, {**headers, "Range": "bytes=0-0"})
            told = answer.headers.get("content-range", "").rpartition("/")[2]
            if answer.status_code == 200:
                told = str(len(answer.content))
            if not told.isdecimal():
                raise StoreError("the server does not tell the object's size", where=where)
            return int(told)

        try:
            return self._read(key, ask)
        except ObjectMissingError:
            return None

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin with ``prefix`` and a slash, as the manifest has them."""
        if not self._listed:
            self.get(MANIFEST_KEY)
        return sorted(key for key in self._listed if key.startswith(f"{prefix}/"))

    def withheld(self, keys: Iterable[str]) -> frozenset[str]:
        """Give those of some keys that the server does not deliver, as previews of people."""
        wanted = list(keys)
        given: set[str] = set()
        for first in range(0, len(wanted), _BATCH):
            given |= set(self._ask(wanted[first : first + _BATCH]))
        return frozenset(wanted) - given

    def _read(self, key: str, ask: Callable[[_Address, dict[str, str]], T]) -> T:
        """Ask the address of an object; once more with a new one when it is refused."""
        where = f"{self.url}/{key}"
        checked_key(key, self.url)

        def once(at: _Address) -> T:
            headers = token_headers(self._origin) if at.own else {}
            return ask_patiently(lambda: ask(at, headers), where, self._patience)

        at = self._address(key)
        try:
            return once(at)
        except StoreRefusedError as error:
            if at.own:
                raise _refused(error, where) from error
            _LOG.debug("%s: the address is refused; asking for another", where)
        try:
            return once(self._address(key, refused=at))
        except StoreRefusedError as error:
            raise _refused(error, where) from error

    def _address(self, key: str, refused: _Address | None = None) -> _Address:
        with self._lock:
            found = self._addresses.get(key)
        if self._holds(found, refused):
            return found  # type: ignore[return-value]  # None does not hold
        with self._asking:  # one asks for many; the others then find theirs
            with self._lock:
                found = self._addresses.get(key)
            if self._holds(found, refused):
                return found  # type: ignore[return-value]
            given = self._ask(self._batch(key))
            with self._lock:
                self._addresses |= given
        if key not in given:
            raise ObjectMissingError("the catalog does not deliver it", where=f"{self.url}/{key}")
        return given[key]

    def _holds(self, at: _Address | None, refused: _Address | None) -> bool:
        return at is not None and at is not refused and time.monotonic() < at.until

    def _batch(self, key: str) -> list[str]:
        """Give the keys to ask for with one: those that stand behind it in the manifest."""
        first = self._listed.get(key)
        if first is None:
            return [key]
        now, listed = time.monotonic(), list(self._listed)
        behind = listed[first + 1 : first + 4 * _BATCH]
        with self._lock:
            known = {
                each for each in behind if (at := self._addresses.get(each)) and at.until > now
            }
        return [key, *[each for each in behind if each not in known][: _BATCH - 1]]

    def _ask(self, keys: Sequence[str]) -> dict[str, _Address]:
        began, where = time.monotonic(), f"{self._base}/urls"

        def ask() -> dict[str, object]:
            headers = token_headers(self._origin)
            answer = send("POST", where, where, headers, json={"keys": list(keys)})
            told: dict[str, object] = answer.json()
            return told

        try:
            told = ask_patiently(ask, where, self._patience)
            urls, valid_s = dict(told["urls"]), float(told["valid_s"])  # type: ignore[call-overload, arg-type]
        except StoreRefusedError as error:
            raise _refused(error, where) from error
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError("the catalog's answer can't be read", where=where) from error
        until = began + _SHARE_USED * valid_s
        return {key: self._made(urls[key], until) for key in keys if key in urls}

    def _made(self, url: object, until: float) -> _Address:
        text = str(url)
        if "://" in text:
            # A bucket, which is sent nothing of ours; it may be no server that is ours to reach.
            admit_delivery(text, self._base)
            return _Address(text, until, own=False)
        if not text.startswith("objects/") or any(p in ("", ".", "..") for p in text.split("/")):
            raise StoreError(f"the catalog delivers from {text!r}", where=self.url)
        return _Address(f"{self._base}/{text}", until, own=True)

    def _list(self, data: bytes) -> None:
        """Know the keys of the version, to ask for many at once."""
        if len(data) > _SHOWS_KEYS:
            return
        try:
            manifest = Manifest.decode(data, f"{self.url}/{MANIFEST_KEY}")
        except HscError as error:  # whoever asked for it finds that himself
            _LOG.debug("%s: %s", self.url, error)
            return
        there = [each.key for each in manifest.entries if not (each.absent or each.packed)]
        self._listed = {key: number for number, key in enumerate(there)}


def _refused(error: StoreRefusedError, where: str) -> StoreRefusedError:
    return StoreRefusedError(error.message, where=where, next_step=_ADVICE)


def withheld_keys(objects: ObjectStore, manifest: Manifest) -> frozenset[str]:
    """Give the keys of a version's previews that are not delivered; none from any other store."""
    previews = (each.key for each in manifest.entries if each.key.startswith(_PREVIEW))
    return objects.withheld(previews) if isinstance(objects, DeliveredObjects) else frozenset()
