"""A researcher's laptop: the base installation finds, opens and reads what a facility ingested."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
import xarray

import hsc
from hsc.errors import MissingShardError
from hsc.model import Query

Command = Callable[..., tuple[int, Any]]


FACILITY_ONLY = [
    "distributed", "fastapi", "h5py", "hdf5plugin", "matplotlib", "numba", "prefect", "pyFAI",
]  # fmt: skip


@pytest.mark.parametrize("name", FACILITY_ONLY)
def test_the_installation_is_really_the_base_one(name: str) -> None:
    assert importlib.util.find_spec(name) is None


def test_hsc_comes_from_the_wheel_and_not_from_the_repository() -> None:
    assert Path(sys.prefix) in Path(hsc.__file__).parents
    assert importlib.util.find_spec("hsc_catalog") is not None


def test_the_command_explains_itself() -> None:
    command = Path(sys.executable).with_name("hsc")
    for arguments in (["--help"], ["search", "--help"], ["ingest", "--help"]):
        answer = subprocess.run([command, *arguments], capture_output=True, check=True, timeout=60)
        assert b"Usage" in answer.stdout


def test_wrong_usage_ends_with_exit_code_2() -> None:
    command = Path(sys.executable).with_name("hsc")
    answer = subprocess.run([command, "show"], capture_output=True, check=False, timeout=60)
    assert answer.returncode == 2


def test_search_on_the_command_line_finds_the_dataset(hsc_command: Command, pid: str) -> None:
    code, answer = hsc_command("search", "fibroin")
    assert code == 0
    assert answer["total"] == 1
    assert answer["datasets"][0]["pid"] == pid


def test_search_in_python_finds_the_dataset(pid: str) -> None:
    found = hsc.search("fibroin")
    assert found.total == 1
    assert str(found.datasets[0].pid) == pid


def test_a_connected_catalog_gives_the_record(pid: str) -> None:
    with hsc.connect() as catalog:
        found = catalog.search(Query(text="fibroin"))
    assert [str(dataset.pid) for dataset in found.datasets] == [pid]


def test_show_lists_arrays_and_no_gap(hsc_command: Command, pid: str) -> None:
    code, answer = hsc_command("show", pid)
    assert code == 0
    assert answer["pid"].startswith(pid)
    assert "/entry/data/frames" in {array["path"] for array in answer["arrays"]}
    assert not answer["gaps"]


def test_verify_finds_every_object_as_it_was_written(hsc_command: Command, pid: str) -> None:
    code, answer = hsc_command("verify", pid)
    assert code == 0
    assert answer["damaged"] == []
    assert answer["objects"] > 5


def test_verify_against_the_source_says_which_part_is_missing(
    hsc_command: Command, pid: str, source: Path
) -> None:
    code, answer = hsc_command("verify", pid, "--source", source)
    assert (code, answer["error"]) == (1, "DependencyMissingError")
    assert "facility" in answer["next"]


def test_fetch_brings_a_dataset_home_in_parts_and_whole(
    hsc_command: Command, pid: str, tmp_path: Path, expected_frames: np.ndarray
) -> None:
    home = tmp_path / "home"
    code, answer = hsc_command("fetch", pid, home, "--select", "/entry/data/plain")
    assert code == 0
    assert "/entry/data/frames" in answer["not_fetched"]
    tree = hsc.open(str(home))
    np.testing.assert_array_equal(tree["entry/data/plain"].values, expected_frames)
    with pytest.raises(MissingShardError, match="fetch the rest"):
        tree["entry/data/frames"].values  # noqa: B018
    code, answer = hsc_command("fetch", pid, home)
    assert (code, answer["not_fetched"]) == (0, [])
    np.testing.assert_array_equal(hsc.open(str(home))["entry/data/frames"].values, expected_frames)


@pytest.mark.parametrize("name", ["frames", "zipped", "plain"])
def test_an_opened_array_is_lazy_and_holds_what_was_measured(
    pid: str, name: str, expected_frames: np.ndarray
) -> None:
    tree = hsc.open(pid)
    assert isinstance(tree, xarray.DataTree)
    array = tree[f"entry/data/{name}"]
    assert isinstance(array.data, dask.array.Array)
    assert array.dtype == np.dtype("<u2")
    np.testing.assert_array_equal(array[17].values, expected_frames[17])
    np.testing.assert_array_equal(array.values, expected_frames)


def test_units_come_along(pid: str) -> None:
    distance = hsc.open(pid)["entry/distance"]
    assert distance.attrs["units"] == "m"
    np.testing.assert_array_equal(distance.values, np.linspace(0.5, 2.5, 5))


def test_an_unknown_pid_is_an_error_with_its_name(hsc_command: Command) -> None:
    code, answer = hsc_command("show", "hsc.local/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert code == 1
    assert answer["error"] == "DatasetNotFoundError"


def test_ingest_says_which_part_is_missing(hsc_command: Command, source: Path) -> None:
    code, answer = hsc_command("ingest", source)
    failure = answer if "error" in answer else answer["errors"][0]
    assert code == 1
    assert failure["error"] == "DependencyMissingError"
    assert "facility" in failure["next"]


def test_what_the_page_on_opening_promises_works_without_hdf5(
    pid: str, expected_frames: np.ndarray
) -> None:
    tree = hsc.open(pid, gaps="mask")
    assert "fibroin" in repr(tree)
    assert "fibroin" in tree._repr_html_()
    view = tree.hsc.h5
    np.testing.assert_array_equal(view["entry/data/frames"][3, 5:9], expected_frames[3, 5:9])
    assert view["entry/title"].asstr()[()] == "Measured for the base installation"
    assert dict(view["entry"].attrs) == {"NX_class": "NXentry", "default": "data"}
    plot = tree.hsc.default_plot()
    assert (plot.path, plot.signal) == ("/entry/data", "frames")
    assert tree.hsc.indexed(plot.path)["frames"].shape == (40, 32, 48)
    np.testing.assert_array_equal(tree.hsc.numpy("entry/data/zipped"), expected_frames)
    np.testing.assert_array_equal(tree.hsc.zarr()["entry/data/plain"][7], expected_frames[7])
