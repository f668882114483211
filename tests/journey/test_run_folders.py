"""Runs as they lie on disk: a folder goes in whole, and nothing in it is left out unsaid."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from hsc.model import Pid
from hsc.reading import OpenedDataset, open_dataset
from hsc.testing import (
    DectrisRun,
    Detector,
    ExfelRun,
    exfel_image,
    write_dectris_channels,
    write_exfel_run,
)

RUN = ExfelRun(sequences=((10000, 10001), (10002,)), lost={5: (10001,)}, sample="lysozyme")


@pytest.fixture
def dectris_folder(make_run: Callable[..., Path], tmp_path: Path) -> Path:
    """Give a DECTRIS run's folder with files of other kinds beside."""
    folder = shutil.copytree(make_run().parent, tmp_path / "series 1")
    (folder / "collect.py").write_text("go()")
    (folder / "geometry").mkdir()
    (folder / "geometry" / "mask: 1.tif").write_bytes(b"II*\0" + bytes(range(256)))
    (folder / "geometry" / "empty.txt").touch()
    return folder


def opened(hsc, pid: str) -> OpenedDataset:
    """Open a dataset, every byte checked."""
    with hsc.catalog() as catalog:
        return open_dataset(catalog.get(Pid.parse(pid)))


def carried(dataset: OpenedDataset) -> dict[str, bytes]:
    """Give what was carried byte for byte, by its true name."""
    return {name: file.read() for name, file in dataset.files.items()}


def test_a_dectris_folder_is_one_dataset_with_the_files_beside_its_frames(
    hsc, dectris_folder: Path
) -> None:
    told = hsc.json("inspect", dectris_folder)
    assert (told["layout"], told["complete"], told["files"]) == ("dectris", True, 7)
    made = hsc.json("ingest", dectris_folder, "--verify", "full")["datasets"][0]
    record = hsc.json("show", made["pid"])["record"]
    assert (made["layout"], record["title"]) == ("dectris", "series 1")
    assert carried(opened(hsc, made["pid"])) == {
        "collect.py": b"go()",
        "geometry/mask: 1.tif": b"II*\0" + bytes(range(256)),
        "geometry/empty.txt": b"",
    }
    total = sum(path.stat().st_size for path in dectris_folder.rglob("*") if path.is_file())
    assert made["bytes_in"] == told["bytes_in"] == total
    objects = hsc.objects()
    again = hsc.json("ingest", dectris_folder)["datasets"][0]
    assert (again["pid"], again["root"], again["existing"]) == (made["pid"], made["root"], True)
    data = [key for key in objects if "/data.zarr/" in key or "/files/" in key]
    assert [key for key in hsc.objects() if key in data] == data


def test_a_changed_note_is_another_source(hsc, dectris_folder: Path) -> None:
    first = hsc.json("ingest", dectris_folder)["datasets"][0]
    (dectris_folder / "collect.py").write_text("no()")
    second = hsc.json("ingest", dectris_folder)["datasets"][0]
    assert not second["existing"]
    assert second["root"] != first["root"]


def test_a_dectris_run_of_several_channels_is_one_stack_equal_in_every_pixel(
    hsc, tmp_path: Path
) -> None:
    run = DectrisRun(
        frames=5,
        frames_per_file=2,
        detector=Detector(shape=(64, 60), module_shape=(30, 60), gap_shape=(4, 10)),
    )
    noise = np.random.default_rng(4).integers(0, 99, (5, 3, 64, 60)).astype("u2")
    master = write_dectris_channels(tmp_path / "run", run, lambda n, channel: noise[n, channel])
    made = hsc.json("ingest", master.parent, "--verify", "full")["datasets"][0]
    ways = {array["path"]: array["way"] for array in made["arrays"]}
    assert ways["/entry/data/data"] == "rewrap"
    dataset = opened(hsc, made["pid"])
    frames = dataset.role("frames")
    assert frames.dimension_names == ("frame", "channel", "y", "x")
    assert np.array_equal(frames.read(), noise)
    assert list(dataset.role("channel").read()) == ["threshold_1", "threshold_2", "difference"]
    assert np.array_equal(dataset.role("flatfield_threshold_2").read(), np.full((64, 60), 2.0))
    lacking = master.parent / "series_1_data_000002.h5"
    lacking.unlink()
    assert hsc.json("ingest", master.parent, code=1)["error"] == "IncompleteRunError"


def test_what_is_wrong_in_a_folder_is_named_and_refused_or_recorded(
    hsc, dectris_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "private.txt").write_text("theirs")
    (dectris_folder / "out").symlink_to(tmp_path / "private.txt")
    (dectris_folder / "collect.py~").write_text("old")
    refused = hsc.json("ingest", dectris_folder, code=1)["errors"][0]
    assert refused["error"] == "UnsupportedObjectError"
    assert "/out: a symbolic link out of the run's folder" in refused["message"]
    assert hsc.objects() == []
    made = hsc.json("ingest", dectris_folder, "--policy", "quarantine", code=3)["datasets"][0]
    assert [gap["path"] for gap in made["gaps"]] == ["/out"]
    assert made["notes"] == [
        "left out: collect.py~, a leftover of an editor, desktop or file system"
    ]
    assert b"theirs" not in carried(opened(hsc, made["pid"])).values()


def test_a_european_xfel_run_goes_in_with_every_value_under_its_files_name(
    hsc, tmp_path: Path
) -> None:
    folder = tmp_path / "r0012"
    files = write_exfel_run(folder, RUN)
    (folder / "notes.txt").write_text("beam lost at 14:02")
    told = hsc.json("inspect", folder)
    assert (told["layout"], told["complete"]) == ("exfel", True)
    assert told["notes"] == ["module 5 of SPB_DET_AGIPD1M-1 lacks 1 of 3 trains: 10001"]
    env = {"HSC_FACILITY": "xfel"}
    made = hsc.json("ingest", folder, "--verify", "full", env=env)["datasets"][0]
    record = hsc.json("show", made["pid"])["record"]
    assert (record["proposal"], record["sample"], record["instrument"]) == (
        "700000", "lysozyme", "SPB/SFX",
    )  # fmt: skip
    dataset = opened(hsc, made["pid"])
    assert carried(dataset) == {"notes.txt": b"beam lost at 14:02"}
    compared = 0
    for path in files:
        with h5py.File(path) as file:
            for name in _datasets(file):
                theirs = file[name].asstr()[()] if file[name].dtype.kind == "O" else file[name][()]
                ours = dataset.array(f"/{path.name}/{name}").read()
                assert np.array_equal(ours, theirs), name
                compared += 1
    assert compared == len(made["arrays"])
    frames = dataset.role("frames_AGIPD07_S00001").read()
    assert np.array_equal(frames[1, 0], exfel_image(RUN, 7, 10002, 1))


def test_a_european_xfel_run_that_lacks_a_module_is_refused_unless_told(
    hsc, tmp_path: Path
) -> None:
    write_exfel_run(tmp_path / "r0012", RUN)
    (tmp_path / "r0012" / "RAW-R0012-AGIPD03-S00000.h5").unlink()
    lacking = "1 of 2 sequences of AGIPD03: S00000"
    told = hsc.json("inspect", tmp_path / "r0012")
    assert (told["complete"], told["missing"]) == (False, [lacking])
    refused = hsc.json("ingest", tmp_path / "r0012", code=1)
    assert refused["error"] == "IncompleteRunError"
    made = hsc.json("ingest", tmp_path / "r0012", "--policy", "quarantine", code=3)["datasets"][0]
    assert [gap["reason"] for gap in made["gaps"]] == [f"missing in the run: {lacking}"]


def test_any_other_folder_goes_in_with_a_subtree_for_each_file(hsc, tmp_path: Path) -> None:
    folder = tmp_path / "scan7"
    (folder / "parts").mkdir(parents=True)
    with h5py.File(folder / "parts" / "det.hdf5", "w") as file:
        file["entry/frames"] = np.arange(24).reshape(2, 3, 4)
    with h5py.File(folder / "000001.h5", "w") as file:
        file["entry/points"] = np.arange(5)
        file["entry/frames"] = h5py.ExternalLink("parts/det.hdf5", "/entry/frames")
    (folder / "macro.txt").write_text("ascan")
    made = hsc.json("ingest", folder)["datasets"][0]
    assert made["layout"] == "folder"
    dataset = opened(hsc, made["pid"])
    points = dataset.array("/000001.h5/entry/points").read()
    frames = dataset.array("/parts/det.hdf5/entry/frames").read()
    assert np.array_equal(points, np.arange(5))
    assert np.array_equal(frames, np.arange(24).reshape(2, 3, 4))
    attributes = {path: node["attributes"] for path, node in dataset.documents.items()}
    assert attributes["/000001.h5/entry"]["hsc:links"] == {
        "frames": {"external": "/entry/frames", "file": "parts/det.hdf5"}
    }
    assert attributes["/000001.h5"]["hsc:file"] == "000001.h5"
    assert carried(dataset) == {"macro.txt": b"ascan"}


def test_a_file_of_another_kind_that_is_named_itself_is_refused(hsc, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert hsc.json("ingest", tmp_path / "notes.txt", code=1)["error"] == "NotHdf5Error"


def _datasets(file: h5py.File) -> list[str]:
    names: list[str] = []

    def add(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset):
            names.append(name)

    file.visititems(add)
    return names
