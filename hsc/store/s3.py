"""Objects in a bucket that speaks S3."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from hsc.errors import (
    ConfigurationError,
    HscError,
    ObjectExistsError,
    ObjectMissingError,
    StoreError,
    StoreFullError,
    StoreUnwritableError,
)
from hsc.store.bodies import Body, GatheredObject
from hsc.store.objects import checked_key
from hsc.store.pacing import pay
from hsc.store.retrying import Patience, persist
from hsc.store.room import Room, quota_room
from hsc.store.s3_client import s3_client

T = TypeVar("T")

_MORE_ROOM = "have the quota raised, or make room (`hsc gc` lists what dead attempts left)"
_ADVICE = "check HSC_STORE, AWS_ENDPOINT_URL and the credentials in the environment"
_PASSING_STATUS = {408, 409, 425, 429, 500, 502, 503, 504}
_PASSING_CODES = {"RequestTimeout", "SlowDown", "InternalError", "ConditionalRequestConflict"}
_PASSING_ERRORS = {
    "ClosedConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ConnectionError",
    "EndpointConnectionError", "HTTPClientError", "IncompleteReadError", "ProxyConnectionError",
    "ReadTimeoutError", "ResponseParserError", "ResponseStreamingError",
}  # fmt: skip


class S3Objects:
    """Objects in a bucket, or below a prefix of one.

    Each object is written by a single conditional PUT (If-None-Match), never by multipart: some
    servers ignore the condition there. What may pass (no connection, a reset, HTTP 5xx, 429) is
    asked again until patience ends.

    Parameters
    ----------
    url
        ``s3://bucket`` or ``s3://bucket/prefix``.
    patience
        How long a store that does not answer is waited for.
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self.url = url.rstrip("/")
        self._patience = patience or Patience()
        bucket, _, prefix = self.url.partition("://")[2].partition("/")
        if not bucket:
            raise ConfigurationError(
                f"{url!r} names no bucket", next_step="write it like s3://bucket/prefix"
            )
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""
        path = self._path(key)
        if stop is not None and stop <= start:
            stop, asked = start, {"Range": f"bytes={start}-{start}"}
        elif start or stop is not None:
            asked = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
        else:
            asked = {}

        def ask() -> bytes:
            answer = self._client().get_object(Bucket=self._bucket, Key=path, **asked)
            data: bytes = answer["Body"].read()
            return data

        try:
            data = self._ask(key, "read", ask)
        except _NothingThereError:
            return b""
        return data if stop is None else data[: stop - start]

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes."""
        path = self._path(key)
        try:
            facts = self._ask(
                key, "read", lambda: self._client().head_object(Bucket=self._bucket, Key=path)
            )
        except ObjectMissingError:
            return None
        return int(facts["ContentLength"])

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Write an object by one conditional PUT.

        A PUT whose answer was lost counts as written when the object is there with these bytes.
        """
        self._put(key, Body([memoryview(data)]))

    def begin(self, key: str) -> GatheredObject:
        """Begin an object that comes part by part, and is put whole."""
        self._path(key)
        return GatheredObject(partial(self._put, key))

    def _put(self, key: str, body: Body) -> None:
        path, tries = self._path(key), 0
        pay(len(body))

        def ask() -> None:
            nonlocal tries
            tries += 1
            body.seek(0)
            self._client().put_object(Bucket=self._bucket, Key=path, Body=body, IfNoneMatch="*")

        try:
            self._ask(key, "written", ask)
        except ObjectExistsError:
            if tries == 1 or not body.equals(self.get(key)):
                raise

    def delete(self, key: str) -> None:
        """Remove an object."""
        path = self._path(key)
        self._ask(
            key, "removed", lambda: self._client().delete_object(Bucket=self._bucket, Key=path)
        )

    def keys(self, prefix: str) -> list[str]:
        """List keys below a prefix."""
        below = f"{self._path(prefix)}/" if prefix else self._prefix

        def ask() -> list[str]:
            asking = self._client().get_paginator("list_objects_v2")
            pages = asking.paginate(Bucket=self._bucket, Prefix=below)
            return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

        return sorted(path[len(self._prefix) :] for path in self._ask(prefix, "listed", ask))

    def _path(self, key: str) -> str:
        return f"{self._prefix}{checked_key(key, self.url)}"

    def _client(self) -> Any:
        return s3_client()

    def room(self) -> Room:
        """Give what the bucket's quota leaves, where the server tells it, as Ceph's does."""
        try:
            facts = self._ask("", "read", lambda: self._client().head_bucket(Bucket=self._bucket))
        except StoreError:  # not everybody who may write to a bucket may ask about it
            return Room()
        return quota_room(facts["ResponseMetadata"]["HTTPHeaders"])

    def _ask(self, key: str, done: str, ask: Callable[[], T]) -> T:
        """Ask with patience; word what the client raises as errors of the store."""
        where = f"{self.url}/{key}"
        try:
            return persist(ask, _passing, where, self._patience)
        except HscError:
            raise
        except Exception as error:
            if _maker(error) != "botocore" and not isinstance(error, OSError):
                raise
            raise self._worded(error, where, done) from error

    def _worded(self, error: Exception, where: str, done: str) -> HscError:
        status, code = _status(error), _code(error)
        if code == "NoSuchBucket":
            what = f"there is no bucket {self._bucket!r}"
            kind = StoreUnwritableError if done == "written" else StoreError
            return kind(what, where=where, next_step="make it, or name another in HSC_STORE")
        if status == 404:
            return ObjectMissingError("no such object", where=where)
        if status == 412:
            return ObjectExistsError("the object is there", where=where)
        if status == 416:
            return _NothingThereError("the object ends before", where=where)
        if code == "QuotaExceeded" or status == 507:
            what = f"the store is full: {_cause(error)}"
            return StoreFullError(what, where=where, next_step=_MORE_ROOM)
        if status in (401, 403, 405, 501) and done in ("written", "removed"):
            what = f"the store takes no writes: {_cause(error)}"
            return StoreUnwritableError(what, where=where, next_step=_ADVICE)
        if status in (401, 403):
            what = f"the store does not let us read: {_cause(error)}"
            return StoreError(what, where=where, next_step=_ADVICE)
        what = f"the object can't be {done}: {_cause(error)}"
        return StoreError(what, where=where, next_step=_ADVICE)


class _NothingThereError(StoreError):
    """The range that was asked for begins where the object ends."""


def _passing(error: Exception) -> str | None:
    """Word an error that may pass; None for any other."""
    if isinstance(error, HscError):
        return None
    status = _status(error)
    if status is not None:
        passes = status in _PASSING_STATUS or _code(error) in _PASSING_CODES
    elif _maker(error) == "botocore":
        # A certificate that does not hold will not hold later either.
        names = {kind.__name__ for kind in type(error).__mro__}
        passes = type(error).__name__ != "SSLError" and bool(names & _PASSING_ERRORS)
    else:
        passes = isinstance(error, ConnectionError | TimeoutError)
    return _cause(error) if passes else None


def _status(error: Exception) -> int | None:
    """Give the HTTP status that an answer had; None when there was no answer."""
    told = getattr(error, "response", None)
    if not isinstance(told, dict):
        return None
    status = told.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return int(status) if status is not None else None


def _code(error: Exception) -> str:
    told = getattr(error, "response", None)
    return str(told.get("Error", {}).get("Code", "")) if isinstance(told, dict) else ""


def _maker(error: Exception) -> str:
    return type(error).__module__.partition(".")[0]


def _cause(error: Exception) -> str:
    """Word an error; some servers give a code and no message."""
    status, code = _status(error), _code(error)
    if status is None:
        return str(error) or type(error).__name__
    message = getattr(error, "response", {}).get("Error", {}).get("Message")
    return ", ".join(str(part) for part in (f"HTTP {status}", code, message) if part)
