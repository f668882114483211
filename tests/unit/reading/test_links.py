"""Links lead where they led: in a file, between the files of a run, into a detector's stack."""

from __future__ import annotations

import pickle

import dask
import h5py
import numpy as np
import pytest

from hsc.errors import HscError, PathMissingError
from hsc.reading import open_tree
from hsc.testing.dectris import write_dectris_run
from hsc.testing.dectris_channels import write_dectris_channels
from hsc.testing.dectris_run import DectrisRun
from hsc.testing.detector import Detector

SMALL = Detector(shape=(12, 10), module_shape=(12, 10), gap_shape=(0, 0))


def write_two_files(folder):
    """Write two files that link to each other."""
    (folder / "sub").mkdir(parents=True)
    with h5py.File(folder / "a.h5", "w") as file:
        file["x"] = np.arange(5)
        file["far"] = h5py.ExternalLink("sub/b.h5", "/g/y")
        file["group"] = h5py.ExternalLink("sub/b.h5", "/g")
        file["soft"] = h5py.SoftLink("/x")
        file["z"] = file["x"]
    with h5py.File(folder / "sub" / "b.h5", "w") as file:
        file["g/y"] = np.arange(7)
        file["g/back"] = h5py.ExternalLink("../a.h5", "x")
        file["g/soft"] = h5py.SoftLink("/g/y")
        file["g/out"] = h5py.SoftLink("/other")
        file["other"] = 1


PATHS = {
    "x": 5, "far": 7, "group/y": 7, "group/back": 5, "group/soft": 7, "soft": 5, "z": 5,
}  # fmt: skip


@pytest.mark.parametrize("root", ["", "a.h5/"], ids=["one file", "the folder"])
def test_links_between_files_lead_to_what_they_led_to(tmp_path, keep, root):
    write_two_files(tmp_path / "run")
    tree = open_tree(keep(tmp_path / "run" / ("" if root else "a.h5")).open())
    for path, length in PATHS.items():
        assert np.array_equal(tree.hsc.h5[f"{root}{path}"][()], np.arange(length))
        assert np.array_equal(tree.hsc[f"{root}{path}"].values, np.arange(length))
    assert set(tree[root or "/"].variables) == {"x", "z", "soft", "far"}
    assert tree.hsc.h5.get(f"{root}far", getlink=True).filename == "sub/b.h5"
    if root:
        assert tree.hsc.h5["sub/b.h5/g/out"][()] == 1
        assert set(tree["sub/b.h5/g"].variables) == {"y", "back", "soft", "out"}
    else:
        # Of the other file only what the link led to is there: a path from its root leads out.
        with pytest.raises(PathMissingError, match="leads nowhere in this dataset"):
            tree.hsc.h5["group/out"]


def test_a_link_to_a_data_file_is_its_part_of_the_stack(tmp_path, keep):
    run = DectrisRun(frames=5, frames_per_file=2, detector=SMALL)
    master = write_dectris_run(tmp_path, run, lambda n: np.full(SMALL.shape, n, "u2"))
    tree = open_tree(keep(master).open())
    data = tree["entry/data/data"]
    assert data.dims == ("frame", "y", "x")
    assert {"omega", "phi", "chi", "kappa"} <= set(data.coords)
    assert data.coords["omega"].dims == ("frame",)
    assert tree.hsc.default_plot().path == "/entry/data"
    with h5py.File(master) as file:
        for name in ("data_000001", "data_000002", "data_000003"):
            theirs, ours = file["entry/data"][name], tree.hsc.h5["entry/data"][name]
            assert ours.shape == theirs.shape
            assert np.array_equal(ours[...], theirs[...])
            assert np.array_equal(ours[-1, 2:4], theirs[-1, 2:4])
            assert dict(ours.attrs) == dict(theirs.attrs)
            path = f"entry/data/{name}"
            assert np.array_equal(tree.hsc[path].values, theirs[...])
            assert np.array_equal(tree.hsc.numpy(path), theirs[...])


def test_channels_have_their_dimensions_and_image_numbers(tmp_path, keep):
    run = DectrisRun(frames=3, frames_per_file=2, detector=SMALL)
    master = write_dectris_channels(tmp_path, run, lambda n, c: np.full(SMALL.shape, n + c, "u2"))
    tree = open_tree(keep(master).open())
    data = tree["entry/data/data"]
    assert data.dims == ("frame", "channel", "y", "x")
    assert data.coords["image_id"].dims == ("frame",)
    plot = tree.hsc.default_plot()
    assert (plot.signal, plot.axes[:2]) == ("data", ("image_id", "channel"))


def test_a_tree_and_what_is_made_of_it_travel_and_are_copied(tmp_path, keep):
    write_two_files(tmp_path / "run")
    tree = open_tree(keep(tmp_path / "run").open())
    _ = tree.hsc
    for again in (pickle.loads(pickle.dumps(tree)), tree.copy(deep=True)):  # noqa: S301
        assert np.array_equal(again["a.h5/x"].values, np.arange(5))
        assert np.array_equal(again.hsc.h5["a.h5/x"][()], np.arange(5))
    part = tree.isel({"a%2Eh5.x.0": 0}, missing_dims="ignore")
    assert "DataTree" in repr(part)
    assert "a run" in repr(tree)
    assert part.hsc.cite() == tree.hsc.cite()


def test_the_same_array_is_read_once_under_all_its_names(tmp_path, keep):
    write_two_files(tmp_path / "run")
    node = open_tree(keep(tmp_path / "run").open())["a.h5"]
    assert node["x"].data.name == node["z"].data.name == node["soft"].data.name
    (x, z) = dask.compute(node["x"].data, node["z"].data)
    assert np.array_equal(x, z)
    assert issubclass(PathMissingError, HscError)
