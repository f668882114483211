"""What a bucket's server can do beyond what every store does, tried out on one object."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import md5, sha256
from typing import Any

from hsc.store.s3 import S3Objects
from hsc.store.s3_answers import maker
from hsc.store.s3_client import copy_object

Finding = tuple[str, bool | None, str]
"""Name of the ability, whether it can (None where that can't be told), what was seen."""

BUCKET_KEYS = ("m", "m-copy", "c")
"""What is written below the key that is given."""

_MOST_SKEW_S = 300  # beyond 15 min servers refuse the signature


def probe_bucket(objects: S3Objects, key: str) -> list[Finding]:
    """Try out what only buckets do; what is written lies below ``key``."""
    client, bucket, path = objects.place(key)
    put = {"Bucket": bucket, "Key": f"{path}/m"}
    return [
        _matches(client, put),
        _checks(client, {"Bucket": bucket, "Key": f"{path}/c"}),
        _copies(client, bucket, f"{path}/m"),
        _clock(client, bucket),
    ]


def _matches(client: Any, put: dict[str, str]) -> Finding:
    def overwrites(tag: str) -> bool:
        return _goes(lambda: client.put_object(**put, Body=b"2", IfMatch=tag))

    name = "MATCH"
    if not _goes(lambda: client.put_object(**put, Body=b"1")):
        return name, None, "it could not be tried out"
    if overwrites('"0123456789abcdef0123456789abcdef"'):
        return name, False, "the condition is ignored; hsc needs it nowhere"
    tag = client.head_object(**put)["ETag"]
    if overwrites(tag):
        return name, True, "with the tag in quotes, as the standard has it"
    tag = client.head_object(**put)["ETag"]
    if overwrites(tag.strip('"')):
        return name, True, "only with the tag without quotes, as in older releases of Ceph"
    return name, False, "with no form of the tag; hsc needs it nowhere"


def _checks(client: Any, put: dict[str, str]) -> Finding:
    wrong = {
        "Content-MD5": {"ContentMD5": _text(md5(b"other", usedforsecurity=False).digest())},
        "SHA-256": {"ChecksumSHA256": _text(sha256(b"other").digest())},
    }
    held = [
        name
        for name, sums in wrong.items()
        if not _goes(lambda: client.put_object(**put, Body=b"1", **sums))  # noqa: B023 (at once)
    ]
    if held:
        return "CHECKSUM", True, f"{' and '.join(held)}"
    return "CHECKSUM", False, "neither Content-MD5 nor SHA-256; the manifest's digests find it out"


def _copies(client: Any, bucket: str, path: str) -> Finding:
    if _goes(lambda: copy_object(client, bucket, path, f"{path}-copy")):
        return "COPY", True, "a run that grew is copied without being moved"
    return "COPY", False, "what a run that grew has in common is read and written again"


def _clock(client: Any, bucket: str) -> Finding:
    told: list[str] = []

    def ask() -> None:
        answer = client.list_objects_v2(Bucket=bucket, MaxKeys=1)
        told.append(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))

    if not _goes(ask) or not told[0]:
        return "CLOCK", None, "it does not say"
    ahead_s = (parsedate_to_datetime(told[0]) - datetime.now(UTC)).total_seconds()
    return "CLOCK", abs(ahead_s) < _MOST_SKEW_S, f"{ahead_s:+.0f} s beside this machine's"


def _goes(ask: Callable[[], object]) -> bool:
    """Tell whether a request is answered with success."""
    try:
        ask()
    except Exception as error:
        if maker(error) != "botocore" and not isinstance(error, OSError):
            raise
        return False
    return True


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
