"""A body reads like a file, whatever parts it was made of; an object of parts is one object."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.fault_proxy import FaultProxy, Faults
from servers.fixtures import Bucket

from hsc.errors import ObjectExistsError, StoreError
from hsc.store import S3Objects, VersionWriter
from hsc.store.bodies import Body

PARTS = [bytes([number]) * 3_000_000 for number in range(3)]


@given(st.lists(st.binary(max_size=9), max_size=5), st.lists(st.integers(0, 60), max_size=4))
def test_a_body_reads_like_a_file_from_wherever_one_goes(
    parts: list[bytes], places: list[int]
) -> None:
    whole = b"".join(parts)
    body, file = Body([memoryview(part) for part in parts]), io.BytesIO(whole)
    for place in (0, *places):
        at = min(place, len(whole))
        assert body.seek(at) == body.tell() == file.seek(at)
        assert b"".join(iter(body.read, b"")) == file.read()
        assert body.tell() == len(body) == len(whole)
    assert body.seek(0, 2) == len(whole)
    assert body.whole() == whole
    assert body.equals(whole)
    assert not body.equals(whole + b"x")
    assert not whole or not body.equals(whole[:-1] + bytes([whole[-1] ^ 1]))


def _put_parts(objects: S3Objects, key: str) -> None:
    with VersionWriter(objects, "v").open_object(key) as made:
        for part in PARTS:
            made.write(np.frombuffer(part + b"more", np.uint8), len(part))
        made.place()


def test_an_object_of_parts_is_there_whole_and_is_never_overwritten(objects) -> None:
    _put_parts(objects, "a")
    assert objects.get("v/a") == b"".join(PARTS)
    with pytest.raises(ObjectExistsError):
        _put_parts(objects, "a")


@pytest.mark.parametrize(
    "wrong",
    [
        Faults(status=503, code="SlowDown", only="^PUT", times=2),
        Faults(reset_after_up=4_000_000, only="^PUT", times=2),
        Faults(reset_after_down=1, only="^PUT", times=1),
    ],
    ids=str,
)
def test_an_object_of_parts_is_sent_again_from_its_beginning(
    bucket: Bucket, faults: FaultProxy, wrong: Faults
) -> None:
    faults.set(wrong)
    _put_parts(S3Objects(bucket.url), "a")
    there = bucket.client.get_object(Bucket=bucket.name, Key="v/a")["Body"].read()
    assert there == b"".join(PARTS)


def test_the_signature_is_of_the_bytes_that_were_given(bucket: Bucket) -> None:
    with VersionWriter(S3Objects(bucket.url), "v").open_object("a") as made:
        buffer = np.zeros(2_000_000, np.uint8)
        made.write(buffer, buffer.size)
        buffer[-1] = 1  # a defect that the server must not let pass
        with pytest.raises(StoreError, match="400"):
            made.place()
    assert S3Objects(bucket.url).size("v/a") is None
