"""A DECTRIS run that is not whole: shown as such, refused, or taken in with the gap on record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import pytest

STACK = "entry/data/data"


@pytest.fixture
def run(make_run: Callable[..., Path], tmp_path: Path) -> Path:
    """Give a run of 7 frames in files of 3, that may be spoiled."""
    whole = make_run()
    return shutil.copytree(whole.parent, tmp_path / "run") / whole.name


@pytest.fixture
def without_a_file(run: Path) -> Path:
    """Give a run without its second data file."""
    (run.parent / "series_1_data_000002.h5").unlink()
    return run


@pytest.fixture
def without_frames(run: Path) -> Path:
    """Give a run of which only the first frame of the second data file was written."""
    with h5py.File(run.parent / "series_1_data_000002.h5", "a") as file:
        old = file[STACK]
        new = file.create_dataset(
            "entry/data/new", old.shape, old.dtype, chunks=old.chunks,
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )  # fmt: skip
        new[0] = old[0]
        for name, value in old.attrs.items():
            new.attrs.create(name, value, dtype=old.attrs.get_id(name).dtype)
        del file[STACK]
        file.move("entry/data/new", STACK)
    return run


def test_a_run_without_a_data_file_is_shown_refused_or_taken_in_with_a_gap(
    hsc, without_a_file: Path, without_hsc, stock_tree
) -> None:
    lacking = "1 of 3 data files: series_1_data_000002.h5"
    told = hsc.json("inspect", without_a_file)
    assert (told["complete"], told["missing"][0]) == (False, lacking)
    assert "the frames numbered 4 to 6, before series_1_data_000003.h5" in told["missing"]
    refused = hsc.json("ingest", without_a_file, code=1)
    assert refused["error"] == "IncompleteRunError"
    assert lacking in refused["errors"][0]["message"]
    assert hsc.objects() == []
    made = hsc.json("ingest", without_a_file, "--policy", "quarantine", code=3)["datasets"][0]
    assert made["gaps"][0]["reason"] == f"missing in the run: {lacking}"
    record = hsc.json("show", made["pid"])["record"]
    parts = [str(without_a_file.parent / f"series_1_data_{n:06}.h5") for n in (1, 3)]
    told = without_hsc(
        f"""
import h5py, hdf5plugin, numpy, zarr
{stock_tree(record["location"])}
theirs = numpy.concatenate([h5py.File(part)[{STACK!r}][...] for part in {parts!r}])
json.dump({{"equal": bool(numpy.array_equal(tree[{STACK!r}][...], theirs))}}, sys.stdout)
"""
    )
    assert told["equal"]


def test_a_run_without_any_data_file_is_refused_at_once(hsc, without_a_file: Path) -> None:
    for path in without_a_file.parent.glob("*_data_*"):
        path.unlink()
    assert hsc.json("inspect", without_a_file, code=1)["error"] == "IncompleteRunError"


@pytest.mark.parametrize("reduction", ["azimuthal", "biosaxs"])
def test_frames_that_were_never_written_are_never_reduced_as_zeros(
    hsc, make_run, without_frames: Path, reduction: str
) -> None:
    said = "frames 5 to 6 of 7 were never written"
    assert hsc.json("inspect", without_frames)["missing"] == [said]
    refused = hsc.json("ingest", without_frames, code=1)
    assert refused["error"] == "IncompleteRunError"
    assert said in refused["errors"][0]["message"]
    made = hsc.json("ingest", without_frames, "--policy", "quarantine", code=3)["datasets"][0]
    assert [gap["reason"] for gap in made["gaps"]] == [f"missing in the run: {said}"]
    words = [made["pid"]]
    if reduction == "biosaxs":
        whole = hsc.json("ingest", make_run(seed=5))["datasets"][0]["pid"]
        words = [f"sample={whole}", f"buffer={made['pid']}"]
    told = hsc.json("reduce", reduction, *words, code=1)
    assert told["error"] == "ReductionError"
    assert "2 of 7 frames were never written, by number 5, 6;" in told["message"]
    assert made["pid"] in told["where"]
