"""Of a run that grew, the shards that stayed are copied inside the store; no other one ever is."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from blake3 import blake3

import hsc as python
from hsc import jobs
from hsc.ingestion import make_plan
from hsc.layouts import read_run
from hsc.model import Pid
from hsc.store import CheckedVersion, add_scheme, open_objects, open_version
from hsc.testing import ExfelRun, open_write_once, write_exfel_run

_COARSE_S = 2.1  # a file that was touched just now is not known by its times
_FRAME = (4096, 4096)


@dataclass(frozen=True)
class Shelf:
    """A store, and the state directory that works on it."""

    home: Path
    url: str


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.s3)])
def shelf(request, hsc, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Give an empty store of each kind; Python calls of this test work on it."""
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    url = (hsc.home / "store").as_uri()
    if request.param == "s3":
        url = request.getfixturevalue("bucket").url
    monkeypatch.setenv("HSC_STORE", url)
    return Shelf(hsc.home, url)


@pytest.fixture
def here(hsc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Python calls of this test work on an empty directory."""
    monkeypatch.setenv("HSC_HOME", str(hsc.home))


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """Give what ingests a run into a store of its own, and tells the root."""

    def ingest(path: Path) -> str:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("HSC_HOME", str(tmp_path / "alone"))
            elsewhere.setenv("HSC_STORE", (tmp_path / "alone" / "store").as_uri())
            made = python.ingest(path, verify="none", policy="quarantine")
        assert (made.version, made.copied) == (1, 0)
        return made.root

    return ingest


def _stack(path: Path, seed: int, count: int = 2, **how: object) -> Path:
    """Write a file of stacks that become one object of 2 MB each, and of a small one."""
    draw = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        for number in range(count):
            values = draw.integers(0, 2**16, (8, 250, 500), dtype="u2")
            file.create_dataset(f"stack_{number}", data=values, chunks=(1, 250, 500), **how)
        file["title"] = path.stem
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of two files, a rewrapped and a recoded one, and a note of 1.2 MB."""
    folder = tmp_path / "scan 7"
    folder.mkdir()
    _stack(folder / "a.h5", 1, **hdf5plugin.Bitshuffle(cname="lz4"))
    _stack(folder / "b.h5", 2, compression=1)
    (folder / "image.tif").write_bytes(np.random.default_rng(3).bytes(1_200_000))
    return folder


def _version(pid: object) -> CheckedVersion:
    with python.connect() as catalog:
        version = open_version(catalog.get(Pid.parse(str(pid))).location)
    for entry in version.manifest.entries:
        assert (version.read(entry.key) is None) == entry.absent
    return version


def _grow(folder: Path, name: str = "c.h5") -> None:
    _stack(folder / name, 4, count=1)


def test_a_folder_that_grew_copies_what_stayed_and_has_the_root_it_has_anywhere(
    shelf: Shelf, folder: Path, alone
) -> None:
    first = python.ingest(folder)
    assert first.copied == 0
    _grow(folder)
    second = python.ingest(folder, verify="full")
    assert (second.pid, second.version, second.copied) == (first.pid, 2, 5)
    assert second.root == alone(folder)
    before, after = (_version(f"{first.pid}@{n}").manifest.entries for n in (1, 2))
    assert {e.key: e.digest for e in before if e.nbytes > 10**6}.items() <= {
        e.key: e.digest for e in after
    }.items()
    # What was copied can be copied on.
    _grow(folder, "d.h5")
    assert python.ingest(folder).copied == 6
    assert python.ingest(folder).copied == 0


def test_a_late_sequence_of_european_xfel_leaves_the_shards_of_the_others(
    here, tmp_path: Path, alone
) -> None:
    trains = tuple(range(10000, 10006))
    run = ExfelRun(modules=(0, 1), sequences=(trains, (10006, 10007)), shape=(512, 128))
    written = write_exfel_run(tmp_path / "r0012", run)
    late = [path for path in written if "S00001" in path.name]
    for path in late:
        path.rename(tmp_path / path.name)
    first = python.ingest(tmp_path / "r0012", policy="quarantine")
    for path in late:
        (tmp_path / path.name).rename(path)
    second = python.ingest(tmp_path / "r0012", policy="quarantine")
    assert (second.pid, second.version, second.copied) == (first.pid, 2, 2)
    assert second.root == alone(tmp_path / "r0012")


def _data_file(path: Path, first: int, frames: int, payloads: list[bytes]) -> None:
    """Give a DECTRIS data file frames of 64 MiB that are nearly empty: 16 of them are a shard."""
    with h5py.File(path, "r+") as file:
        data = file["entry/data/data"]
        facts = dict(data.attrs)
        del file["entry/data/data"]
        how = hdf5plugin.Bitshuffle(cname="lz4")
        shape = (frames, *_FRAME)
        data = file.create_dataset("entry/data/data", shape, "u4", chunks=(1, *_FRAME), **how)
        data.attrs.update({**facts, "image_nr_low": first, "image_nr_high": first + frames - 1})
        for number in range(frames):
            data.id.write_direct_chunk((number, 0, 0), payloads[number % len(payloads)])


def _payloads(path: Path) -> list[bytes]:
    """Encode two frames as a detector would."""
    with h5py.File(path, "w") as file:
        how = hdf5plugin.Bitshuffle(cname="lz4")
        data = file.create_dataset("data", (2, *_FRAME), "u4", chunks=(1, *_FRAME), **how)
        for number in range(2):
            frame = np.zeros(_FRAME, "u4")
            frame[:100] = np.random.default_rng(number).integers(0, 9, (100, _FRAME[1]))
            data[number] = frame
        return [data.id.read_direct_chunk((number, 0, 0))[1] for number in range(2)]


def test_a_stack_that_grew_copies_its_full_shards(here, tmp_path: Path, make_run, alone) -> None:
    master = make_run(frames=3, frames_per_file=1)
    folder = shutil.copytree(master.parent, tmp_path / "run")
    payloads = _payloads(tmp_path / "frames.h5")
    files = sorted(folder.glob("*data*"))
    for path, first, frames in zip(files, (1, 18, 20), (17, 2, 1), strict=True):
        _data_file(path, first, frames, payloads)
    files[-1].rename(tmp_path / "late")
    before = python.ingest(folder, policy="quarantine", verify="none")
    (tmp_path / "late").rename(files[-1])
    second = python.ingest(folder, policy="quarantine", verify="none")
    assert (second.pid, second.version) == (before.pid, 2)
    (stack,) = (array for array in second.arrays if array.path == "/entry/data/data")
    assert (stack.shape, stack.shards) == ((20, *_FRAME), (16, *_FRAME))
    assert second.copied == 1
    assert second.root == alone(folder)


def _large(path: Path, seed: int) -> Path:
    """Write a file of more than is hashed whole, as seven stacks of 10 MB."""
    draw = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        for number in range(7):
            file[f"stack_{number}"] = draw.integers(0, 2**32, (10, 500, 500), dtype="u4")
    return path


def _source_id(path: Path) -> str:
    run = read_run(path, layout=None, time_zone="UTC")
    return make_plan(run, policy="strict").source_id


def _change_unseen(path: Path, name: str) -> None:
    """Change a byte of an array that lies between two samples of the file."""
    before = _source_id(path)
    with h5py.File(path) as file:
        start = file[name].id.get_offset()
    for offset in range(start, start + 9_000_000, 50_000):
        with path.open("r+b") as raw:
            raw.seek(offset)
            byte = raw.read(1)
            raw.seek(offset)
            raw.write(bytes([byte[0] ^ 1]))
        if _source_id(path) == before:
            return
        with path.open("r+b") as raw:
            raw.seek(offset)
            raw.write(byte)
    pytest.fail("every place is sampled")


def test_a_large_file_that_was_changed_between_its_samples_is_never_taken_as_unchanged(
    shelf: Shelf, tmp_path: Path
) -> None:
    folder = tmp_path / "scan"
    folder.mkdir()
    kept, changed = _large(folder / "a.h5", 1), _large(folder / "b.h5", 2)
    time.sleep(_COARSE_S)
    first = python.ingest(folder, verify="none")
    state = changed.stat()
    _change_unseen(changed, "stack_3")
    os.utime(changed, ns=(state.st_atime_ns, state.st_mtime_ns))
    time.sleep(_COARSE_S)
    _grow(folder)
    second = python.ingest(folder, verify="none")
    assert (second.pid, second.version) == (first.pid, 2)
    tree = python.open(second.pid)
    for path in (kept, changed):
        with h5py.File(path) as file:
            for name in file:
                got = tree[f"{path.name}/{name}"].to_numpy()
                np.testing.assert_array_equal(got, file[name])
    # A directory gets the changed file's shards anew, all of them; a server is spared six.
    assert second.copied == (7 if shelf.url.startswith("file:") else 13)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_the_middle_of_copying_it_goes_on_to_the_same_root(
    hsc, shelf: Shelf, folder: Path, alone, when: str
) -> None:
    first = python.ingest(folder, verify="none")
    _grow(folder)
    point = (when, "copy", "*/v2/*/b.h5/stack_1/c/*")
    hsc.killed(point, "ingest", folder, "--workers", "1", store=shelf.url)
    finished = {key.rpartition("/")[2] for key in open_objects(shelf.url).keys("")}
    stayed = [entry.key for entry in _version(first.pid).manifest.entries if entry.nbytes > 10**6]
    lines = [key for key in stayed if blake3(key.encode()).hexdigest()[:32] in finished]
    assert lines, "it died before it was in the middle"
    second = python.ingest(folder, verify="none")
    assert (second.pid, second.version) == (first.pid, 2)
    assert second.copied == 5 - len(lines)
    assert second.root == alone(folder)
    assert jobs.collect(shelf.url).remains == ()
    _version(second.pid)


def test_a_shard_that_is_damaged_is_made_anew(
    hsc, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, alone
) -> None:
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    first = python.ingest(folder, verify="none")
    damaged, lost, *_ = sorted((hsc.home / "store").glob("**/v1/**/stack_*/c/0/0/0"))
    with damaged.open("r+b") as file:
        file.write(b"rot")
    lost.unlink()
    _grow(folder)
    second = python.ingest(folder, verify="none")
    assert (second.pid, second.version, second.copied) == (first.pid, 2, 3)
    assert second.root == alone(folder)
    assert caplog.text.count("made anew") == 2
    _version(second.pid)


def test_a_manifest_that_is_damaged_costs_the_copying_and_no_more(
    hsc, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    python.ingest(folder, verify="none")
    (manifest,) = (hsc.home / "store").glob("**/v1/manifest")
    manifest.write_bytes(b"HSCM")
    _grow(folder)
    second = python.ingest(folder, verify="none")
    assert (second.version, second.copied) == (2, 0)
    assert "nothing can be copied" in caplog.text


def test_a_write_once_store_copies_too(
    hsc, folder: Path, monkeypatch: pytest.MonkeyPatch, alone
) -> None:
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    add_scheme("writeonce+file", open_write_once)
    monkeypatch.setenv("HSC_STORE", f"writeonce+{(hsc.home / 'store').as_uri()}")
    python.ingest(folder, verify="none")
    _grow(folder)
    second = python.ingest(folder, verify="none")
    assert (second.version, second.copied) == (2, 5)
    assert second.root == alone(folder)
