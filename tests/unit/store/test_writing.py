"""Writing a version: what was committed is never changed, what was not can be taken up again."""

from __future__ import annotations

import pytest

from hsc.errors import ManifestError, MissingShardError, ObjectExistsError
from hsc.store import MANIFEST_KEY, Manifest, VersionWriter, abandon_version, digest_entry

BIG = bytes(2 << 20)


def commit(writer, *entries):
    return writer.commit(entries, source_id=None, files=(), gaps=())


def put(writer, key, data):
    entry = digest_entry(key, data)
    writer.put(entry, data)
    return entry


def test_a_big_object_stands_in_the_journal_until_the_commit(objects):
    writer = VersionWriter(objects, "d/v1")
    assert writer.finished("data.zarr/a") is None
    entry = put(writer, "data.zarr/a", BIG)
    finished = VersionWriter(objects, "d/v1").finished("data.zarr/a")
    assert finished is not None
    assert (finished.key, finished.nbytes, finished.digest) == (entry.key, len(BIG), entry.digest)
    commit(writer, entry)
    assert writer.finished("data.zarr/a") is None
    assert objects.keys("d/v1") == ["d/v1/data.zarr/a", "d/v1/manifest"]


def test_a_small_object_is_made_again_sooner_than_told_to_the_journal(objects):
    writer = VersionWriter(objects, "d/v1")
    put(writer, "data.zarr/a", b"small")
    assert writer.finished("data.zarr/a") is None
    assert objects.keys("d/v1") == ["d/v1/data.zarr/a"]


def test_a_damaged_journal_is_an_error(objects):
    writer = VersionWriter(objects, "d/v1")
    put(writer, "data.zarr/a", BIG)
    (line,) = objects.keys("d/v1/.journal")
    data = objects.get(line)
    objects.delete(line)
    objects.put_new(line, data[:-1])
    with pytest.raises(ManifestError):
        writer.finished("data.zarr/a")


def test_an_attempt_takes_the_place_of_one_that_died(objects):
    writer = VersionWriter(objects, "d/v1")
    put(writer, "data.zarr/a", b"old")
    put(writer, "data.zarr/a", b"old")
    entry = put(writer, "data.zarr/a", b"newer")
    commit(writer, entry)
    assert objects.get("d/v1/data.zarr/a") == b"newer"


def test_an_absent_object_leaves_nothing(objects):
    writer = VersionWriter(objects, "d/v1")
    put(writer, "data.zarr/a", b"")
    assert objects.keys("d/v1") == []


def test_what_was_committed_is_never_changed(objects):
    writer = VersionWriter(objects, "d/v1")
    entry = put(writer, "data.zarr/a", b"kept")
    manifest = commit(writer, entry)
    assert commit(writer, entry).root == manifest.root  # the same again is no change
    with pytest.raises(ObjectExistsError):
        put(writer, "data.zarr/a", b"other")
    with pytest.raises(ObjectExistsError):
        commit(writer, put(writer, "data.zarr/b", b"x"))
    with pytest.raises(ObjectExistsError):
        writer.put_metadata({"data.zarr/a": b"other"})
    assert not abandon_version(objects, "d/v1")
    assert objects.get("d/v1/data.zarr/a") == b"kept"
    assert Manifest.decode(objects.get(f"d/v1/{MANIFEST_KEY}"), "").root == manifest.root


def test_what_was_not_committed_can_be_abandoned_and_nothing_else_goes(objects):
    put(VersionWriter(objects, "d/v10"), "data.zarr/a", b"neighbour")
    writer = VersionWriter(objects, "d/v1")
    writer.begin(["data.zarr/a"])
    put(writer, "data.zarr/a", BIG)
    assert abandon_version(objects, "d/v1")
    assert objects.keys("d") == ["d/v10/data.zarr/a"]


def test_the_manifest_does_not_hang_on_the_order_of_entries(objects):
    one, two = (VersionWriter(objects, f"d/v{n}") for n in (1, 2))
    entries = [(put(one, key, b"x"), put(two, key, b"x")) for key in ("b", "c", "a")]
    first = commit(one, *(entry for entry, _ in entries))
    second = commit(two, *(entry for _, entry in reversed(entries)))
    assert first.encode() == second.encode()


def test_nothing_is_committed_when_an_object_is_gone(objects):
    writer = VersionWriter(objects, "d/v1")
    kept, gone = put(writer, "data.zarr/a", b"kept"), put(writer, "data.zarr/b", b"gone")
    objects.delete("d/v1/data.zarr/b")
    with pytest.raises(MissingShardError, match="4 bytes"):
        commit(writer, kept, gone)
    assert objects.size(f"d/v1/{MANIFEST_KEY}") is None


def test_what_is_noted_in_the_journals_folder_goes_at_the_commit(objects):
    writer = VersionWriter(objects, "d/v1")
    writer.begin(["data.zarr/a"], [".journal/probe-0", ".journal/probe-1"])
    objects.put_new("d/v1/.journal/probe-1", b"left by a worker that died")
    commit(writer, put(writer, "data.zarr/a", BIG))
    assert objects.keys("d/v1") == ["d/v1/data.zarr/a", "d/v1/manifest"]


def test_what_an_earlier_attempt_wrote_beyond_this_one_goes_with_the_commit(objects):
    earlier = VersionWriter(objects, "d/v1")
    earlier.begin(["data.zarr/a", "small.zip"], ["preview/mean.npy"])
    put(earlier, "data.zarr/a", BIG)
    put(earlier, "small.zip", BIG)
    earlier.put_metadata({"preview/mean.npy": b"mean"})
    writer = VersionWriter(objects, "d/v1")
    writer.begin(["data.zarr/a"], [])
    entry = put(writer, "data.zarr/a", BIG)
    writer.commit([entry], source_id=None, files=(), gaps=(), resumed=True)
    assert objects.keys("d/v1") == ["d/v1/data.zarr/a", "d/v1/manifest"]
