"""Writing a plan: a changed source is noticed, a killed ingest goes on, a wrong chunk is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import google_crc32c
import h5py
import hdf5plugin
import numpy as np
import pytest

from hsc.errors import (
    DamagedSourceError,
    DamageError,
    HscError,
    SourceChangedError,
    VerificationError,
)
from hsc.ingestion import verify_written, write_plan
from hsc.store import DATA
from hsc.workers import Silent, ThreadWorkers

LOCATION = "local/u/2026/p/x/v1"
INGEST = """
import pathlib, sys
from hsc.ingestion import commit_plan, make_plan, write_plan
from hsc.layouts import read_run
from hsc.workers import Silent, ThreadWorkers
plan = make_plan(read_run(pathlib.Path(sys.argv[1]), layout=None, time_zone="UTC"), policy="strict")
write_plan(plan, sys.argv[2], "local/u/2026/p/x/v1", workers=ThreadWorkers(1), progress=Silent(),
           resumed=False)
"""


def write_frames(path, count=8):
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "frames", data=np.random.default_rng(0).integers(0, 99, (count, 64, 64)).astype("u2"),
            chunks=(1, 64, 64), **hdf5plugin.Bitshuffle(cname="lz4"),
        )  # fmt: skip
        file["wide"] = np.arange(10_000, dtype="f8")
    return path


def written(plan, store):
    """Write without verifying or committing."""
    return write_plan(
        plan, store.as_uri(), LOCATION, workers=ThreadWorkers(2), progress=Silent(), resumed=False
    ).entries


def verify(plan, store, entries, how="full"):
    return verify_written(
        plan, f"{store.as_uri()}/{LOCATION}", entries, how=how,
        workers=ThreadWorkers(2), progress=Silent(),
    ).compared  # fmt: skip


CHANGES = {
    "one byte": lambda path, data: path.write_bytes(data[:-9] + b"\xff" + data[-8:]),
    "zeroed": lambda path, data: path.write_bytes(bytes(len(data))),
    "truncated": lambda path, data: path.write_bytes(data[: len(data) // 2]),
    "appended": lambda path, data: path.write_bytes(data + b"\0"),
    "touched": lambda path, data: os.utime(path, ns=(1, 1)),
    "removed": lambda path, data: path.unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_source_that_changes_after_the_plan_is_an_error_that_names_it(tmp_path, plan, change):
    path = write_frames(tmp_path / "a.h5")
    made = plan(path)
    CHANGES[change](path, path.read_bytes())
    with pytest.raises(SourceChangedError, match=r"a\.h5"):
        written(made, tmp_path / "store")
    assert not (tmp_path / "store" / LOCATION / "manifest").exists()


def test_a_damaged_chunk_is_an_error_that_names_file_dataset_and_chunk(tmp_path, plan):
    path = write_frames(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        chunk = file["frames"].id.read_direct_chunk((3, 0, 0))[1]
        file["frames"].id.write_direct_chunk((3, 0, 0), chunk[:-5])
    with pytest.raises(DamagedSourceError) as caught:
        written(plan(path), tmp_path / "store")
    assert "(3, 0, 0)" in caught.value.message
    assert str(path) in caught.value.where
    assert "/frames" in caught.value.where


def test_a_chunk_that_does_not_decode_is_found_by_verifying(tmp_path, plan):
    path = write_frames(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        chunk = bytearray(file["frames"].id.read_direct_chunk((3, 0, 0))[1])
        chunk[16:80] = bytes(64)  # inside of the first LZ4 block
        file["frames"].id.write_direct_chunk((3, 0, 0), bytes(chunk))
    made = plan(path)
    entries = written(made, tmp_path / "store")
    with pytest.raises(HscError):
        verify(made, tmp_path / "store", entries)


def alter_chunk(store, entries):
    """Change a pixel of the first stored frame and mend its crc32c; give the file and its entry."""
    entry = next(e for e in entries if e.key.startswith(f"{DATA}/frames/c/"))
    path = store / LOCATION / entry.key
    data = bytearray(path.read_bytes())
    table = entry.chunks
    start, length = int(table.offsets[0]), int(table.lengths[0])
    other = slice(int(table.offsets[1]), int(table.offsets[1] + table.lengths[1]))
    frame = bytes(data[other])
    # The second frame in the place of the first: a whole frame, so that it decodes.
    data[start : start + length] = (frame + bytes(length))[:length]
    crc = google_crc32c.value(bytes(data[start : start + length]))
    data[start + length : start + length + 4] = crc.to_bytes(4, "little")
    path.write_bytes(data)
    crcs = table.crcs.copy()
    crcs[0] = crc
    return entry, replace(entry, chunks=replace(table, crcs=crcs))


def test_a_stored_chunk_that_was_altered_is_found(tmp_path, plan):
    made = plan(write_frames(tmp_path / "a.h5"))
    entries = written(made, tmp_path / "store")
    assert verify(made, tmp_path / "store", entries) == 9
    entry, wrong = alter_chunk(tmp_path / "store", entries)
    with pytest.raises(DamageError):
        verify(made, tmp_path / "store", entries)
    # Wrong from the beginning, as by a defect of ours: its own checksum is right.
    believed = [wrong if each is entry else each for each in entries]
    with pytest.raises(VerificationError, match="differs from the source"):
        verify(made, tmp_path / "store", believed)


def test_a_chunk_that_was_forgotten_is_found(tmp_path, plan):
    made = plan(write_frames(tmp_path / "a.h5"))
    entries = written(made, tmp_path / "store")
    entry = next(e for e in entries if e.key.startswith(f"{DATA}/frames/c/"))
    states = entry.chunks.states.copy()
    states[2] = 0
    forgotten = replace(entry, chunks=replace(entry.chunks, states=states))
    with pytest.raises(VerificationError, match="differs"):
        verify(made, tmp_path / "store", [forgotten if e is entry else e for e in entries])


def test_a_sample_is_at_least_sixteen_chunks_or_all(tmp_path, plan):
    made = plan(write_frames(tmp_path / "a.h5", count=40))
    entries = written(made, tmp_path / "store")
    assert verify(made, tmp_path / "store", entries, "sample") == 16
    assert verify(made, tmp_path / "store", entries, "full") == 41
    assert verify(made, tmp_path / "store", entries, "none") == 0


def write_many_shards(path):
    with h5py.File(path, "w") as file:
        for number in range(6):  # each an object of some megabytes, for random bytes do not shrink
            noise = np.random.default_rng(number).integers(0, 256, (4, 1024, 1024)).astype("u1")
            file[f"a{number}"] = noise
    return path


def test_a_killed_ingest_goes_on_and_makes_the_same_root(
    tmp_path, plan, write_version, ingest, compare
):
    path, store = write_many_shards(tmp_path / "a.h5"), tmp_path / "store"
    journal = store / LOCATION / ".journal"
    child = subprocess.Popen([sys.executable, "-c", INGEST, str(path), store.as_uri()])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list(journal.glob("[0-9a-f]*"))) < 2:
        assert child.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    made = plan(path)
    before = {p: p.stat().st_mtime_ns for p in (store / LOCATION / "data.zarr").rglob("c/*/*/*")}
    lines = len(list(journal.glob("[0-9a-f]*")))
    assert lines >= 2
    assert not (store / LOCATION / "manifest").exists()
    done = write_version(made, store, resumed=True, write_once=False)
    kept = sum(p.stat().st_mtime_ns == stamp for p, stamp in before.items())
    assert kept == len(before) >= lines
    assert done.manifest.root == ingest(path).manifest.root
    assert compare(path, done.tree) == 6
    assert not journal.exists()
