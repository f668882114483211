"""Whatever a folder holds comes back under its own name: values of HDF5 files, bytes of others."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import h5py
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.ingestion import commit_plan, make_plan, verify_written, write_plan
from hsc.layouts import read_run
from hsc.model import Dataset, Kind, Pid, plain_text
from hsc.reading import open_dataset
from hsc.workers import Silent, ThreadWorkers

# Names that differ in case or Unicode form only, that stores can't hold, that look like others.
_ODD = [
    "a", "A", "é", "e\u0301", "zarr.json", "c", "a:b", "100%", "CON", "x" * 200, "a.h5", "con.h5",
]  # fmt: skip
_NAMES = st.sampled_from(_ODD) | st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8
).filter(lambda name: name not in (".", ".."))
_FILES = st.dictionaries(
    st.lists(_NAMES, min_size=1, max_size=3).map("/".join),
    st.binary(max_size=40) | st.lists(st.integers(0, 2**31), max_size=6),
    max_size=10,
)


def write_folder(folder: Path, files: dict[str, bytes | list[int]]) -> dict[str, bytes | list[int]]:
    """Write what of the files can be: a name may be a folder's, too long, or a leftover's."""
    written: dict[str, bytes | list[int]] = {"first.h5": [1]}
    for name, content in {**files, **written}.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                with h5py.File(path, "w") as file:
                    file["g/x"] = np.array(content, "i8")
        except OSError:
            continue
        written[name] = content
    return written


def make_dataset(folder: Path, store: Path) -> Dataset:
    plan = make_plan(read_run(folder, layout="folder", time_zone="UTC"), policy="quarantine")
    workers, progress, url = ThreadWorkers(1), Silent(), store.as_uri()
    written = write_plan(plan, url, "v1", workers=workers, progress=progress, resumed=False)
    verify_written(
        plan, f"{url}/v1", written.entries, how="full", workers=workers, progress=progress
    )
    manifest = commit_plan(plan, url, "v1", written.entries)
    return Dataset(
        pid=Pid.generate("hsc.local"), kind=Kind.RAW, title="a run", facility="local",
        root=manifest.root, created="2026-11-22T10:00:00Z", layout="folder",
        location=f"{url}/v1", bytes_in=0, bytes_out=0,
    )  # fmt: skip


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(_FILES)
def test_every_file_of_any_folder_comes_back(files):
    with tempfile.TemporaryDirectory() as place:
        folder, store = Path(place, "run"), Path(place, "store")
        folder.mkdir()
        written = write_folder(folder, files)
        run = read_run(folder, layout="folder", time_zone="UTC")
        left_out = {
            name for name in written
            if any(note.startswith(f"left out: {name}, ") for note in run.notes)
        }  # fmt: skip
        dataset = open_dataset(make_dataset(folder, store))
        carried = {name: file.read() for name, file in dataset.files.items()}
        expected = {
            plain_text(name): content for name, content in written.items()
            if isinstance(content, bytes) and name not in left_out
        }  # fmt: skip
        assert carried == expected
        for name, content in written.items():
            if not isinstance(content, bytes) and name not in left_out:
                assert dataset.array(f"/{name}/g/x").read().tolist() == content
        stored = [os.fsdecode(path) for path in store.rglob("*")]
        assert len({path.casefold() for path in stored}) == len(stored)
