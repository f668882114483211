"""Dimension names come from HDF5's scales and labels, and stock xarray opens any tree by them."""

from __future__ import annotations

import warnings

import h5py
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.ingestion.dimensions import dimension_names
from hsc.layouts import read_run


def scale(group, name, values):
    made = group.create_dataset(name, data=values)
    made.make_scale(name)
    return made


def attach(dataset, axis, of):
    dataset.dims[axis].attach_scale(of)


def names_of(path) -> dict[str, tuple[str, ...]]:
    return dimension_names(read_run(path, layout=None, time_zone="UTC"))


def test_arrays_with_a_scale_share_its_name_and_stock_xarray_has_a_coordinate(tmp_path, ingest):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        x, y = scale(file, "x", np.arange(4.0)), scale(file, "y", np.arange(3.0))
        for name in ("one", "two"):
            made = file.create_dataset(name, data=np.ones((3, 4)))
            attach(made, 0, y)
            attach(made, 1, x)
        below = file.create_group("below").create_dataset("three", data=np.arange(4))
        attach(below, 0, x)
        square = file.create_dataset("square", data=np.ones((4, 4)))
        attach(square, 0, x)
        attach(square, 1, x)
    made = ingest(tmp_path / "a.h5")
    tree = xr.open_datatree(made.tree, engine="zarr", chunks=None)
    assert tree["one"].dims == tree["two"].dims == ("y", "x")
    assert tree["below/three"].dims == ("x",)
    assert tree["square"].dims == ("x", "square.1")
    assert tree["one"].sel(x=2.0, y=1.0).item() == 1


def test_a_scale_elsewhere_gives_a_name_that_is_shared_all_the_same(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        x = scale(file.create_group("axes"), "x", np.arange(4))
        for name in ("one", "two"):
            attach(file.create_dataset(f"data/{name}", data=np.ones(4)), 0, x)
    names = names_of(tmp_path / "a.h5")
    assert names == {"/axes/x": ("x",), "/data/one": ("axes.x",), "/data/two": ("axes.x",)}


def test_one_name_of_two_scales_one_above_the_other_is_told_with_its_path_below(tmp_path, ingest):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        attach(file.create_dataset("one", data=np.ones(4)), 0, scale(file, "x", np.arange(4)))
        group = file.create_group("group")
        attach(group.create_dataset("two", data=np.ones(5)), 0, scale(group, "x", np.arange(5)))
    names = names_of(tmp_path / "a.h5")
    assert names["/one"] == names["/x"] == ("x",)
    assert names["/group/two"] == names["/group/x"] == ("group.x",)
    xr.open_datatree(ingest(tmp_path / "a.h5").tree, engine="zarr", chunks=None)


def test_a_name_that_another_array_of_the_group_bears_is_not_taken(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        x = scale(file, "x", np.arange(4))
        file["group/x"] = np.ones(7)
        attach(file.create_dataset("group/one", data=np.ones(4)), 0, x)
    names = names_of(tmp_path / "a.h5")
    assert names == {"/x": ("x",), "/group/x": ("group.x.0",), "/group/one": ("group.one.0",)}


def test_a_scale_of_another_length_names_nothing(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("one", data=np.ones(4))
        attach(made, 0, scale(file, "x", np.arange(5)))
    assert names_of(tmp_path / "a.h5")["/one"] == ("one.0",)


def test_labels_stand_in_names_that_are_unique_to_the_path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("g/one", data=np.ones((2, 3, 4, 5)))
        for axis, label in enumerate(("time", "a.b", "", "0")):
            made.dims[axis].label = label
        twice = file.create_dataset("twice", data=np.ones((2, 3)))
        twice.dims[0].label = twice.dims[1].label = "q"
    names = names_of(tmp_path / "a.h5")
    assert names["/g/one"] == ("g.one.time", "g.one.a%2Eb", "g.one.2", "g.one.3")
    assert names["/twice"] == ("twice.0", "twice.1")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_stock_xarray_opens_whatever_scales_there_are(tmp_path_factory, plan, write_version, data):
    folder = tmp_path_factory.mktemp("scales")
    groups = ["/", "/a", "/a/b", "/c"]
    with h5py.File(folder / "a.h5", "w") as file:
        scales = []
        for group in data.draw(st.lists(st.sampled_from(groups), max_size=4)):
            name, size = data.draw(st.sampled_from("xyd")), data.draw(st.integers(1, 2))
            if name not in file.require_group(group):
                scales.append(scale(file[group], name, np.arange(float(size))))
        for group in data.draw(st.lists(st.sampled_from(groups), max_size=4)):
            name = data.draw(st.sampled_from("xyde"))
            if name in file.require_group(group):
                continue
            shape = data.draw(st.lists(st.integers(1, 2), min_size=1, max_size=2))
            made = file[group].create_dataset(name, data=np.ones(shape))
            for axis in range(len(shape) if scales else 0):
                attach(made, axis, data.draw(st.sampled_from(scales)))
    made = write_version(plan(folder / "a.h5"), folder / "store", how="none")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        xr.open_datatree(made.tree, engine="zarr", chunks=None).load()


@pytest.fixture
def colours(tmp_path):
    kind = h5py.enum_dtype({"deep blue": 0, "red": 7}, basetype="u1")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("plain", data=np.array([0, 7], "u1"), dtype=kind)
        own = file.create_dataset("own", data=np.array([0, 7], "u1"), dtype=kind)
        own.attrs["flag_values"] = "mine"
    return tmp_path / "a.h5"


def test_values_of_an_enumeration_have_names_for_stock_readers(colours, ingest, compare):
    made = ingest(colours)
    root = zarr.open_group(made.tree, mode="r")
    plain, own = dict(root["plain"].attrs), dict(root["own"].attrs)
    assert (plain["flag_values"], plain["flag_meanings"]) == ([0, 7], "deep_blue red")
    assert plain["hsc:added"] == ["flag_values", "flag_meanings"]
    assert own["flag_values"] == "mine"
    assert "hsc:added" not in own
    assert compare(colours, made.tree) == 2
