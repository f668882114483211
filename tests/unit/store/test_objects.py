"""Every store keeps one contract: objects are written once, whole, and never overwritten."""

from __future__ import annotations

import errno
import os
import secrets
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hsc.errors import (
    ConfigurationError,
    ObjectExistsError,
    ObjectMissingError,
    StoreError,
    StoreUnwritableError,
)
from hsc.store import DirectoryObjects, open_objects

DATA = bytes(range(256)) * 5


def test_what_was_put_is_what_is_got(objects):
    objects.put_new("a/b/c", DATA)
    assert objects.get("a/b/c") == DATA
    assert objects.size("a/b/c") == len(DATA)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_can_be_put(objects, kind):
    objects.put_new("a", kind(DATA))
    assert objects.get("a") == DATA


def test_an_object_of_no_bytes_is_an_object(objects):
    objects.put_new("empty", b"")
    assert objects.get("empty") == b""
    assert objects.size("empty") == 0


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, None), (0, 10), (7, 300), (1279, None), (1279, 1280), (1270, 9999), (5, None)],
)
def test_a_range_is_what_python_slices(objects, start, stop):
    objects.put_new("a", DATA)
    assert objects.get("a", start, stop) == DATA[start:stop]


def test_a_missing_object_is_missing(objects):
    assert objects.size("a/b") is None
    with pytest.raises(ObjectMissingError) as caught:
        objects.get("a/b")
    assert "a/b" in caught.value.where


def test_a_folder_is_no_object(objects):
    objects.put_new("a/b", DATA)
    assert objects.size("a") is None
    with pytest.raises(ObjectMissingError):
        objects.get("a")


def test_an_object_is_never_overwritten(objects):
    objects.put_new("a/b", DATA)
    with pytest.raises(ObjectExistsError):
        objects.put_new("a/b", b"other")
    assert objects.get("a/b") == DATA


def test_a_deleted_object_is_gone_and_its_place_free(objects):
    objects.put_new("a/b", DATA)
    objects.delete("a/b")
    objects.delete("a/b")
    assert objects.size("a/b") is None
    objects.put_new("a/b", b"new")
    assert objects.get("a/b") == b"new"


def test_keys_are_those_below_a_folder(objects):
    for key in ("v/b", "v/a/x", "v/a/y", "vv/a", "w", "v/c"):
        objects.put_new(key, b"1")
    assert objects.keys("v") == ["v/a/x", "v/a/y", "v/b", "v/c"]
    assert objects.keys("w") == []
    assert objects.keys("absent") == []
    assert [key for key in objects.keys("") if not key.startswith(".")] == [
        "v/a/x", "v/a/y", "v/b", "v/c", "vv/a", "w",
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["/etc/passwd", "../a", "a/../../b", "a//b", ".", "a/.", "a/", ""])
def test_a_key_that_leads_out_is_refused(objects, key):
    for use in (objects.get, objects.size, objects.delete, lambda k: objects.put_new(k, b"x")):
        with pytest.raises(StoreError) as caught:
            use(key)
        assert not isinstance(caught.value, ObjectMissingError)


def test_of_many_threads_that_put_one_key_one_wins(tmp_path):
    objects = DirectoryObjects(tmp_path / "store")
    for round_ in range(20):
        barrier = threading.Barrier(8)

        def put(number, key=f"r/{round_}", barrier=barrier):
            barrier.wait()
            try:
                objects.put_new(key, bytes([number]) * 1000)
            except ObjectExistsError:
                return None
            return number

        with ThreadPoolExecutor(8) as threads:
            winners = [number for number in threads.map(put, range(8)) if number is not None]
        assert len(winners) == 1
        assert objects.get(f"r/{round_}") == bytes(winners) * 1000


def test_putting_and_deleting_neighbours_at_once_disturbs_nobody(tmp_path):
    objects = DirectoryObjects(tmp_path)

    def come_and_go(number):
        for step in range(60):
            key = f"deep/er/{number}-{step}"
            objects.put_new(key, b"x")
            assert objects.get(key) == b"x"
            objects.delete(key)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(come_and_go, range(4)))
    assert objects.keys("") == []


def test_nothing_temporary_is_left(tmp_path):
    objects = DirectoryObjects(tmp_path)
    objects.put_new("a/b", DATA)
    with pytest.raises(ObjectExistsError):
        objects.put_new("a/b", DATA)
    with pytest.raises(StoreUnwritableError):
        objects.put_new("a/b/c", DATA)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "a/b"]


def test_deleting_takes_the_folders_that_it_leaves_empty(tmp_path):
    objects = DirectoryObjects(tmp_path)
    objects.put_new("a/b/c/d", b"1")
    objects.put_new("a/e", b"1")
    objects.delete("a/b/c/d")
    assert not (tmp_path / "a/b").exists()
    assert (tmp_path / "a/e").exists()


def test_a_writer_that_dies_leaves_no_object(tmp_path):
    program = (
        "import os, sys, pathlib, threading\n"
        "from hsc.store import DirectoryObjects\n"
        "o = DirectoryObjects(pathlib.Path(sys.argv[1]))\n"
        "threading.Timer(0.05, lambda: os._exit(9)).start()\n"
        "n = 0\n"
        "while True:\n"
        "    o.put_new(f'k/{n}', bytes([n % 251]) * (1 << 20)); n += 1\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=60)
    assert done.returncode == 9
    objects = DirectoryObjects(tmp_path)
    for key in objects.keys("k"):
        number = int(key.split("/")[1])
        assert objects.get(key) == bytes([number % 251]) * (1 << 20)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_takes_no_writes(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreUnwritableError, match="takes no writes"):
            DirectoryObjects(tmp_path).put_new("a", b"1")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_where_the_store_should_be_takes_no_writes(tmp_path):
    (tmp_path / "store").write_bytes(b"")
    with pytest.raises(StoreUnwritableError):
        DirectoryObjects(tmp_path / "store").put_new("a", b"1")


def test_a_name_too_long_for_the_file_system_is_a_store_error(tmp_path):
    objects = DirectoryObjects(tmp_path)
    for use in (lambda k: objects.put_new(k, b"1"), objects.get):
        with pytest.raises(StoreError) as caught:
            use("n" * 300)
        assert os.strerror(errno.ENAMETOOLONG) in str(caught.value)


@pytest.mark.parametrize("url", ["s3://key:secret@bucket/x", "https://me:pw@host/x"])
def test_credentials_in_a_url_are_refused_and_not_repeated(url):
    with pytest.raises(ConfigurationError) as caught:
        open_objects(url)
    assert "secret" not in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("url", ["nosuch://x", "file://host/x"])
def test_a_url_that_no_store_speaks_is_refused(url):
    with pytest.raises(ConfigurationError):
        open_objects(url)


@pytest.mark.parametrize("name", ["a b", "50%25", "run#1", "what?", "å", "a%20b"])
def test_a_store_is_found_again_by_its_url(tmp_path, name):
    objects = DirectoryObjects(tmp_path / name)
    objects.put_new("a", DATA)
    assert open_objects(objects.url).get("a") == DATA


def test_two_memory_stores_do_not_see_each_other():
    name = secrets.token_hex(6)
    open_objects(f"memory://{name}").put_new("a", b"1")
    assert open_objects(f"memory://{name}x").size("a") is None
    assert open_objects(f"memory://{name}/").get("a") == b"1"
