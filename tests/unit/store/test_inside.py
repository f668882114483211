"""Copies inside a store are whole, checked, never over another object; a server makes its own."""

from __future__ import annotations

import pytest
from blake3 import blake3
from servers.fault_proxy import FaultProxy, Faults
from servers.fixtures import Bucket

from hsc.errors import CorruptShardError, MissingShardError, ObjectExistsError
from hsc.store import CopiesInside, S3Objects, copy_inside, open_objects

DATA = bytes(range(256)) * 5000
DIGEST = blake3(DATA).digest()


def test_a_copy_has_the_bytes_and_the_object_stays(objects):
    objects.put_new("v1/a ü+%&", DATA)
    copy_inside(objects, "v1/a ü+%&", "v2/a/b", len(DATA), DIGEST)
    assert objects.get("v2/a/b") == objects.get("v1/a ü+%&") == DATA


def test_a_copy_never_replaces_an_object(objects):
    objects.put_new("a", DATA)
    objects.put_new("b", b"theirs")
    with pytest.raises(ObjectExistsError):
        copy_inside(objects, "a", "b", len(DATA), DIGEST)
    assert objects.get("b") == b"theirs"


def test_what_is_gone_or_of_another_length_is_not_copied(objects):
    objects.put_new("a", DATA)
    with pytest.raises(MissingShardError, match="gone"):
        copy_inside(objects, "lost", "b", len(DATA), DIGEST)
    for nbytes in (len(DATA) - 1, len(DATA) + 1):
        with pytest.raises(CorruptShardError):
            copy_inside(objects, "a", "b", nbytes, blake3(DATA[:nbytes]).digest())
    assert objects.size("b") is None


def test_what_rotted_is_not_copied_where_its_bytes_are_seen(objects):
    objects.put_new("a", DATA)
    other = blake3(DATA[::-1]).digest()
    if isinstance(objects, S3Objects):  # its server answers for what it keeps
        copy_inside(objects, "a", "b", len(DATA), other)
        assert objects.get("b") == DATA
        return
    with pytest.raises(CorruptShardError):
        copy_inside(objects, "a", "b", len(DATA), other)
    assert objects.size("b") is None


def test_a_directory_and_a_bucket_copy_by_themselves(tmp_path):
    assert isinstance(open_objects(tmp_path.as_uri()), CopiesInside)
    assert isinstance(open_objects("s3://bucket"), CopiesInside)
    assert not isinstance(open_objects("memory://x"), CopiesInside)


def _asked(faults: FaultProxy) -> list[str]:
    return [line.split()[0] for line in faults.seen.requests]


def test_a_bucket_copies_without_a_byte_coming_by(bucket: Bucket, faults: FaultProxy) -> None:
    objects = open_objects(f"{bucket.url}/store")
    objects.put_new("a", DATA)
    faults.set()
    seen = len(faults.seen.requests)
    copy_inside(objects, "a", "b", len(DATA), DIGEST)
    assert _asked(faults)[seen:] == ["HEAD", "HEAD", "PUT"]
    assert objects.get("b") == DATA


@pytest.mark.parametrize(
    ("wrong", "asked"),
    [
        (Faults(status=500, only="^PUT", times=1), ["PUT", "PUT"]),
        (Faults(reset_after_down=1, only="^PUT", times=1), ["PUT", "PUT"]),
        (Faults(status=501, code="NotImplemented", only="^PUT", times=1), ["PUT", "GET", "PUT"]),
        (Faults(status=403, code="AccessDenied", only="^PUT", times=1), ["PUT", "GET", "PUT"]),
    ],
    ids=str,
)
def test_a_bucket_that_fails_or_will_not_copy_has_the_copy_in_the_end(
    bucket: Bucket, faults: FaultProxy, wrong: Faults, asked: list[str]
) -> None:
    objects = open_objects(bucket.url)
    objects.put_new("a", DATA)
    faults.set(wrong)
    seen = len(faults.seen.requests)
    copy_inside(objects, "a", "b", len(DATA), DIGEST)
    assert [verb for verb in _asked(faults)[seen:] if verb != "HEAD"] == asked
    assert objects.get("b") == DATA
