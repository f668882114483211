"""Files that lay beside a run's arrays come back as they were, under their own names."""

from __future__ import annotations

import io
import os
from dataclasses import replace

import h5py
import pytest
from blake3 import blake3

from hsc.errors import CorruptShardError
from hsc.hdf5 import FileState
from hsc.ingestion import commit_plan, make_plan, write_plan
from hsc.ingestion.assets import plan_assets
from hsc.layouts import Asset, read_run
from hsc.reading.carried import carried_files
from hsc.store import open_version
from hsc.workers import Silent, ThreadWorkers

ODD = {
    "a:b.txt": b"colon",
    "Twin.txt": b"upper",
    "twin.txt": b"lower",
    "x" * 240: b"long",
    "100%part-00000": b"not a part",
    "sub/empty": b"",
    os.fsdecode(b"bad\xff.txt"): b"no UTF-8",
}
SHOWN = {name.replace("\udcff", "\\xff"): content for name, content in ODD.items()}


def write_version(folder, store, part_bytes=10**6):
    run = read_run(folder, layout=None, time_zone="UTC")
    plan = make_plan(run, policy="strict")
    plan = replace(plan, assets=plan_assets(plan.run, part_bytes=part_bytes))
    written = write_plan(
        plan, store.as_uri(), "v1", workers=ThreadWorkers(1), progress=Silent(), resumed=False
    )
    commit_plan(plan, store.as_uri(), "v1", written.entries)
    return store / "v1"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with h5py.File(folder / "a.h5", "w") as file:
        file["x"] = 1
    for name, content in ODD.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_every_name_and_every_byte_comes_back(folder, tmp_path):
    files = carried_files(open_version(write_version(folder, tmp_path / "store").as_uri()))
    assert {name: file.read() for name, file in files.items()} == SHOWN
    assert files["a:b.txt"].blake3 == blake3(b"colon").hexdigest()
    assert files["sub/empty"].nbytes == 0


def test_parts_are_one_file_again(folder, tmp_path):
    (folder / "movie.eer").write_bytes(bytes(range(250)) * 10)
    version = write_version(folder, tmp_path / "store", part_bytes=1000)
    movie = carried_files(open_version(version.as_uri()))["movie.eer"]
    assert (movie.nbytes, len(movie.entries), movie.blake3) == (2500, 3, None)
    assert movie.read() == bytes(range(250)) * 10
    out = io.BytesIO()
    movie.save(out)
    assert out.getvalue() == movie.read()


def test_a_part_of_a_file_goes_by_the_name_of_the_part(folder, tmp_path):
    (folder / "movie.eer").write_bytes(b"x" * 30)
    run = read_run(folder / "a.h5", layout=None, time_zone="UTC")
    path = folder / "movie.eer"
    block = Asset("movie.eer.head", path, FileState(path), 0, 4)
    plan = make_plan(replace(run, assets=(block,)), policy="strict")
    store = (tmp_path / "store").as_uri()
    written = write_plan(
        plan, store, "v1", workers=ThreadWorkers(1), progress=Silent(), resumed=False
    )
    commit_plan(plan, store, "v1", written.entries)
    files = carried_files(open_version(f"{store}/v1"))
    assert {name: file.read() for name, file in files.items()} == {"movie.eer.head": b"xxxx"}


def test_changed_bytes_are_never_given(folder, tmp_path):
    version = write_version(folder, tmp_path / "store")
    stored = next(path for path in version.rglob("*") if path.name == "Twin.txt")
    stored.chmod(0o644)
    stored.write_bytes(b"UPPER")
    with pytest.raises(CorruptShardError):
        carried_files(open_version(version.as_uri()))["Twin.txt"].read()
