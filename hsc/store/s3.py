"""Objects in a bucket that speaks S3."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from blake3 import blake3

from hsc.errors import (
    HscError,
    ObjectExistsError,
    ObjectMissingError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)
from hsc.store.bodies import Body, GatheredObject
from hsc.store.inside import another, carry_over, gone
from hsc.store.objects import ObjectStore, checked_key
from hsc.store.origins import split_bucket
from hsc.store.pacing import pay
from hsc.store.ranges import Part, at_once
from hsc.store.retrying import Patience, persist
from hsc.store.room import Room, quota_room
from hsc.store.s3_answers import (
    Asked,
    NothingThereError,
    maker,
    passing,
    refused_without_a_word,
    stale,
    worded,
)
from hsc.store.s3_bulk import read_parts
from hsc.store.s3_client import copy_object, is_own, renew_client, s3_client, used_credentials

T = TypeVar("T")

_LOG = logging.getLogger(__name__)


class S3Objects:
    """Objects in a bucket, or below a prefix of one.

    Each object is written by a single conditional PUT (If-None-Match), never by multipart: some
    servers ignore the condition there. What may pass (no connection, a reset, HTTP 5xx, 429) is
    asked again until patience ends.

    Parameters
    ----------
    url
        ``s3://bucket/prefix`` for the environment's server, ``s3+https://host/bucket/prefix`` for
        any other, which is sent nothing of the environment's credentials.
    patience
        How long a store that does not answer is waited for.
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self.url = url.rstrip("/")
        self._patience = patience or Patience()
        self._endpoint, self._bucket, prefix = split_bucket(self.url)
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
        except NothingThereError:
            return b""
        return data if stop is None else data[: stop - start]

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[Part]:
        """Give many parts of an object, side by side."""
        path = self._path(key)
        if is_own(self._endpoint):
            found = read_parts(self._client(), self._bucket, path, ranges)
            if found is not None:
                return found
        return at_once(lambda each: self.get(key, *each), ranges)

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

    def copy_new(self, source: str, key: str, nbytes: int, digest: bytes) -> None:
        """Have the server copy an object; where it won't, read and write it.

        Ceph (16.2) takes no notice of the condition on a copy, so it is asked before whether the
        object is there. Between the two somebody may write it, and the copy then replaces it: who
        copies must know that it can only be the same bytes.
        """
        there, path, tries = self._path(source), self._path(key), 0
        if (found := self.size(source)) != nbytes:
            where = f"{self.url}/{source}"
            raise gone(where) if found is None else another(where)
        if self.size(key) is not None:
            raise ObjectExistsError("the object is there", where=f"{self.url}/{key}")
        pay(nbytes)

        def ask() -> None:
            nonlocal tries
            tries += 1
            copy_object(self._client(), self._bucket, there, path)

        try:
            self._ask(key, "written", ask)
        except ObjectExistsError:
            if tries == 1 or blake3(self.get(key)).digest() != digest:
                raise
        except (StoreFullError, StoreUnavailableError):
            raise
        except StoreError as error:
            _LOG.info("the store won't copy (%s); reading and writing: %s", error, path)
            carry_over(self, source, key, nbytes, digest)

    def copy_from(self, other: ObjectStore, source: str, key: str, nbytes: int) -> bool:
        """Have the server copy an object that lies on it; `CopiesFrom` says more."""
        # Origin and credentials have to be the same: those that are sent are the target's.
        if not isinstance(other, S3Objects):
            return False
        endpoint, bucket, prefix = split_bucket(other.url)
        if endpoint != self._endpoint:
            return False
        there = "/".join(filter(None, (prefix, checked_key(source, other.url))))
        path = self._path(key)
        pay(nbytes)
        try:
            self._ask(
                key,
                "written",
                lambda: copy_object(
                    self._client(), self._bucket, there, path, source_bucket=bucket
                ),
            )
        except (ObjectExistsError, StoreFullError, StoreUnavailableError):
            raise
        except StoreError as error:
            _LOG.info("the store won't copy (%s); reading and writing: %s", error, path)
            return False
        return True

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

    def place(self, key: str) -> tuple[Any, str, str]:
        """Give client, bucket and path of an object, for what no other store does."""
        return self._client(), self._bucket, self._path(key)

    def _client(self) -> Any:
        return s3_client(self._endpoint)

    def _signed(self, ask: Callable[[], T]) -> T:
        """Ask; once more where the server says that the credentials have ended."""
        used = used_credentials(self._client())
        try:
            return ask()
        except Exception as error:
            perhaps = refused_without_a_word(error)
            if not (stale(error) or perhaps) or not renew_client(self._endpoint, used, perhaps):
                raise
            return ask()

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
            return persist(lambda: self._signed(ask), passing, where, self._patience)
        except HscError:
            raise
        except Exception as error:
            if maker(error) != "botocore" and not isinstance(error, OSError):
                raise
            asked = Asked(
                where,
                done,
                self._bucket,
                self._endpoint or self._client().meta.endpoint_url,
                named=self._endpoint is not None,
            )
            raise worded(error, asked) from error
