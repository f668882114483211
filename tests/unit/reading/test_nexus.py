"""What NeXus says of a file becomes names, coordinates, values and the default plot."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import xarray as xr

from hsc.errors import HscError, PathMissingError
from hsc.ingestion.tree import NewArray, NewTree
from hsc.reading import combine, open_tree

IMAGE = np.arange(12.0).reshape(3, 4)


def nxdata(file: h5py.File, path: str, **attributes) -> h5py.Group:
    group = file.require_group(path)
    group.attrs["NX_class"] = "NXdata"
    group.attrs.update(attributes)
    return group


def open_written(tmp_path, keep, write):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        write(file)
    return open_tree(keep(tmp_path / "a.h5").open())


def test_signal_axes_and_uncertainties_share_dimensions_and_no_axis_is_read(tmp_path, keep):
    def write(file):
        group = nxdata(file, "e/d", signal="I", axes=["t", "."], auxiliary_signals=["bg"])
        group.attrs["temperature_indices"] = 0
        group.attrs["where_indices"] = [0, 1]
        for name, values in {
            "I": IMAGE, "I_errors": IMAGE / 10, "bg": IMAGE * 0, "t": [1.0, 2, 4],
            "temperature": [9.0, 8, 7], "t_errors": [0.1, 0.1, 0.2], "where": IMAGE,
            "other": [1, 2],
        }.items():  # fmt: skip
            group[name] = values

    tree = open_written(tmp_path, keep, write)
    data = tree["e/d"]
    assert data["I"].dims == data["I_errors"].dims == data["bg"].dims == ("t", "e.d.I.1")
    assert set(data.coords) == {"t", "temperature", "where"}
    assert data["temperature"].dims == data["t_errors"].dims == ("t",)
    assert data["where"].dims == data["I"].dims
    assert data["other"].dims == ("e.d.other.0",)
    assert not data.indexes
    assert set(data["I"].coords) == {"t", "temperature", "where"}
    indexed = data.hsc.indexed()
    assert indexed["I"].sel(t=3.9, method="nearest").values.tolist() == IMAGE[2].tolist()
    assert set(tree.hsc.indexed("e/d").indexes) == {"t"}


def test_edges_of_bins_have_a_dimension_of_their_own(tmp_path, keep):
    def write(file):
        group = nxdata(file, "h", signal="counts", axes=["tof"])
        group["counts"], group["tof"] = np.arange(4), np.arange(5.0)

    tree = open_written(tmp_path, keep, write)
    assert tree["h/counts"].dims == ("tof_bins",)
    assert tree["h"].coords["tof"].dims == ("tof_edges",)
    assert tree.hsc.default_plot().axes == ("tof",)


OLD = {
    "on the signal": lambda g: g["I"].attrs.update(signal=1, axes="x:y"),
    "in brackets": lambda g: g["I"].attrs.update(signal="1", axes="[x,y]"),
    "on the axes": lambda g: (
        g["I"].attrs.update(signal=1), g["x"].attrs.update(axis=1), g["y"].attrs.update(axis="2"),
    ),
    "as one text of the group": lambda g: g.attrs.update(signal="I", axes="x,y"),
}  # fmt: skip


@pytest.mark.parametrize("way", OLD)
def test_older_ways_to_name_signal_and_axes_are_understood(tmp_path, keep, way):
    def write(file):
        file.create_group("entry").attrs["NX_class"] = "NXentry"
        group = nxdata(file, "entry/data")
        group["I"], group["x"], group["y"] = IMAGE, np.arange(3), np.arange(4)
        OLD[way](group)

    tree = open_written(tmp_path, keep, write)
    assert tree["entry/data/I"].dims == ("x", "y")
    plot = tree.hsc.default_plot()
    assert (plot.path, plot.signal, plot.axes) == ("/entry/data", "I", ("x", "y"))


def test_axes_that_do_not_fit_are_plain_variables(tmp_path, keep):
    def write(file):
        group = nxdata(file, "d", signal="I", axes=["x", "nothing"], far_indices=7)
        group["I"], group["x"], group["far"] = IMAGE, np.arange(9), np.arange(3)

    tree = open_written(tmp_path, keep, write)
    assert not tree["d"].coords
    assert tree["d/I"].shape == (3, 4)


def test_scale_factors_are_applied_and_what_is_stored_stays_in_reach(tmp_path, keep):
    stored = np.arange(6, dtype="u2").reshape(2, 3)

    def write(file):
        group = nxdata(file, "d", signal="I", axes=["x", "y"])
        group["I"], group["I_scaling_factor"], group["I_offset"] = stored, 0.5, 100.0
        group["x"], group["x_scaling_factor"] = np.arange(2, dtype="i4"), [3.0]
        group["y"] = np.arange(3)
        old = nxdata(file, "old", signal="raw")
        old["raw"], old["scaling_factor"] = stored, np.float32(0.25)

    with h5py.File(tmp_path / "a.h5", "w") as file:
        write(file)
    kept = keep(tmp_path / "a.h5")
    tree = open_tree(kept.open())
    # FIELDNAME_offset and FIELDNAME_scaling_factor of NXdata: (values + offset) * scaling factor.
    assert np.array_equal(tree["d/I"].values, (stored + 100.0) * 0.5)
    assert np.array_equal(tree.hsc.numpy("d/I"), (stored + 100.0) * 0.5)
    assert tree["d/I"].attrs["hsc_scaled"] == "(stored + I_offset) * I_scaling_factor"
    assert tree["d"].coords["x"].values.tolist() == [0, 3]
    assert np.array_equal(tree["old/raw"].values, stored * 0.25)
    assert np.array_equal(tree.hsc.h5["d/I"][...], stored)
    assert np.array_equal(open_tree(kept.open(), scaled=False)["d/I"].values, stored)


def test_a_link_into_data_that_scale_it_gives_scaled_numbers_by_its_path_too(tmp_path, keep):
    def write(file):
        file["detector/counts"] = IMAGE
        group = nxdata(file, "data", signal="counts")
        group["counts"] = h5py.SoftLink("/detector/counts")
        group["counts_scaling_factor"] = 0.5
        file["again"] = h5py.SoftLink("/data")

    tree = open_written(tmp_path, keep, write)
    for path in ("data/counts", "/data/counts", "again/counts/"):
        assert np.array_equal(tree.hsc[path].values, IMAGE * 0.5)
        assert np.array_equal(tree.hsc.numpy(path), IMAGE * 0.5)
    assert np.array_equal(tree["data"].hsc.numpy("counts"), IMAGE * 0.5)
    assert np.array_equal(tree.hsc.numpy("detector/counts"), IMAGE)


def test_a_link_to_an_array_is_a_variable_with_the_names_of_its_group(tmp_path, keep):
    def write(file):
        file["instrument/detector/data"] = IMAGE
        group = nxdata(file, "entry/data", signal="data", axes=["x", "y"])
        group["data"] = h5py.SoftLink("/instrument/detector/data")
        group["x"], group["y"] = np.arange(3), np.arange(4)
        file["entry/far"] = h5py.SoftLink("/instrument")
        file["entry/gone"] = h5py.SoftLink("/nothing")

    tree = open_written(tmp_path, keep, write)
    assert tree["entry/data/data"].dims == ("x", "y")
    assert np.array_equal(tree["entry/data/data"].values, IMAGE)
    assert tree["instrument/detector/data"].dims != ("x", "y")
    assert np.array_equal(tree.hsc["entry/far/detector/data"].values, IMAGE)
    assert tree.hsc["entry/far"].path == "/instrument"
    assert np.array_equal(tree["entry"].hsc["data/data"].values, IMAGE)
    with pytest.raises(PathMissingError, match="nothing at /nothing"):
        _ = tree.hsc["entry/gone"]


def test_the_chain_of_default_leads_to_the_plot(tmp_path, keep):
    def write(file):
        for name in ("a", "b"):
            nxdata(file, f"{name}/first", signal="I")["I"] = np.arange(3)
            nxdata(file, f"{name}/second", signal="I")["I"] = np.arange(3)
            file[name].attrs.update(NX_class="NXentry", default="second")
        file.attrs["default"] = "b"

    tree = open_written(tmp_path, keep, write)
    assert tree.hsc.default_plot().path == "/b/second"


@pytest.mark.parametrize("default", ["nothing", "..", "/", "."])
def test_a_broken_chain_ends_at_the_first_data_of_the_first_entry(tmp_path, keep, default):
    def write(file):
        nxdata(file, "a/first", signal="I")["I"] = np.arange(3)
        file["a"].attrs.update(NX_class="NXentry", default=default)
        file.attrs["default"] = default

    assert open_written(tmp_path, keep, write).hsc.default_plot().path == "/a/first"


def test_a_file_without_any_plot_has_none(tmp_path, keep):
    assert open_written(tmp_path, keep, lambda f: f.update({"x": 1})).hsc.default_plot() is None


@pytest.mark.parametrize(
    "names",
    [("I", "x", "x"), ("I", "x", "x", "deep"), ("x", "x", "I"), ("d.I.1", "d.I.0", "d.I.0")],
)
def test_names_that_xarray_refuses_open_nevertheless(tmp_path, keep, names):
    signal, *axes = names

    def write(file):
        group = nxdata(file, "d", signal=signal, axes=axes[:2])
        group[signal] = np.arange(9.0).reshape(3, 3)
        for name in set(axes) - {signal}:
            group[name] = np.arange(3)
        inner = nxdata(file, "d/inner", signal="I", axes=["x"])
        inner["I"], inner["x"] = np.arange(5), np.arange(5)
        inner["d.I.0"] = 1

    tree = open_written(tmp_path, keep, write)
    assert tree["d"][signal].shape == (3, 3)
    assert np.array_equal(tree["d/inner/x"].values, np.arange(5))


def test_dimension_scales_name_dimensions(tmp_path, keep):
    def write(file):
        file["time"], file["v"], file["u"] = np.arange(3), IMAGE, IMAGE
        file["time"].make_scale()
        file["v"].dims[0].attach_scale(file["time"])

    tree = open_written(tmp_path, keep, write)
    assert tree["v"].dims == ("time", "v.1")
    assert "time" in tree.coords
    assert tree["u"].dims == ("u.0", "u.1")


def test_enumerations_compounds_and_ragged_data_are_given_back(tmp_path, keep):
    def write(file):
        file["state"] = np.array([2, 0, 7], h5py.enum_dtype({"on": 0, "far off": 2}, "i2"))
        file["table"] = np.array([(1, 2.0), (3, 4.0)], [("n", "i4"), ("x", "f8")])
        ragged = file.create_dataset("ragged", (2,), h5py.vlen_dtype("f4"))
        ragged[1] = [1, 2]

    tree = open_written(tmp_path, keep, write)
    state = tree["state"]
    assert state.values.tolist() == [2, 0, 7]
    assert state.attrs["flag_meanings"] == "on far_off"
    assert state.attrs["flag_values"].tolist() == [0, 2]
    assert tree.hsc.names("state").tolist() == ["far off", "on", "7"]
    assert tree["table"]["n"].dims == tree["table"]["x"].dims == ("table.0",)
    assert tree.hsc.elements("table")["n"].tolist() == [1, 3]
    assert [row.tolist() for row in tree.hsc.numpy("ragged")] == [[], [1, 2]]
    with pytest.raises(PathMissingError, match="no enumeration"):
        tree.hsc.names("table/n")


def step(group: h5py.Group, name: str, value, **attributes) -> None:
    group[name] = value
    group[name].attrs.update(attributes)


def write_goniometer(file: h5py.File) -> None:
    sample = file.create_group("sample")
    sample["depends_on"] = "moves/phi"
    moves = sample.create_group("moves")
    step(moves, "phi", [0.0, 90.0], transformation_type="rotation", units="deg", vector=[0, 0, 1],
         depends_on="arm")  # fmt: skip
    step(moves, "arm", 20.0, transformation_type="translation", units="mm", vector=[1, 0, 0],
         offset=[0.0, 1.0, 0.0], offset_units="cm", depends_on="/sample/moves/log")  # fmt: skip
    log = moves.create_group("log")
    log.attrs.update(transformation_type="rotation", vector=[0, 1, 0], depends_on=".")
    log["value"] = [np.pi / 2]
    log["value"].attrs["units"] = "rad"


@pytest.mark.parametrize("path", ["sample", "sample/depends_on", "sample/moves/phi"])
def test_a_chain_of_transformations_has_matrices(tmp_path, keep, path):
    steps = open_written(tmp_path, keep, write_goniometer).hsc.transformations(path)
    assert [each.path.rpartition("/")[2] for each in steps] == ["phi", "arm", "log"]
    assert steps[0].matrices.shape == (2, 4, 4)
    assert steps[1].matrix[:3, 3] == pytest.approx([0.02, 0.01, 0])
    assert steps[0].units == "deg"
    # A point on x is turned to y by phi, moved by the arm, then turned about y: z becomes x.
    placed = combine(steps) @ np.array([0.0, 1.0, 5.0, 1.0])
    assert placed[0] == pytest.approx([5, 1.01, -0.02, 1])
    assert placed[1] == pytest.approx([5, 0.01, 0.98, 1])


def test_an_offset_without_a_unit_of_its_own_is_in_that_of_the_values(tmp_path, keep):
    def write(file):
        facts = {"vector": [1, 0, 0], "offset": [0.0, 5.0, 0.0]}
        step(file, "x", 20.0, transformation_type="translation", units="mm", **facts)
        step(file, "phi", 90.0, transformation_type="rotation", units="deg", **facts)

    tree = open_written(tmp_path, keep, write)
    assert tree.hsc.transformations("x")[0].matrix[:3, 3] == pytest.approx([0.02, 0.005, 0])
    with pytest.raises(HscError, match="'deg' can't be read as one of length"):
        tree.hsc.transformations("phi")


BROKEN = {
    "turns in a circle": lambda f: f["sample/moves/log"].attrs.update(depends_on="phi"),
    "nothing": lambda f: f["sample/moves/arm"].attrs.update(depends_on="nowhere"),
    "can't be read": lambda f: f["sample/moves/arm"].attrs.update(units="furlong"),
    "three numbers": lambda f: f["sample/moves/arm"].attrs.update(vector=[1, 2]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_chain_is_an_error_that_names_it(tmp_path, keep, what):
    def write(file):
        write_goniometer(file)
        BROKEN[what](file)

    tree = open_written(tmp_path, keep, write)
    with pytest.raises(HscError, match=what):
        tree.hsc.transformations("sample")


def test_frames_of_a_detector_have_their_angles_beside_them(keep_tree):
    frames = np.zeros((4, 3, 2), "u2")
    tree = NewTree(
        arrays=(
            NewArray("/entry/data/data", frames, ("frame", "y", "x")),
            NewArray("/entry/sample/goniometer/omega", np.arange(4.0), ("o",), {"units": "deg"}),
            NewArray("/entry/sample/goniometer/omega_end", np.arange(4.0), ("p",)),
            NewArray("/entry/sample/goniometer/kappa", np.arange(3.0), ("k",)),
        ),
        roles={"frames": "/entry/data/data"},
    )
    opened = open_tree(keep_tree(tree).open())
    data = opened["entry/data/data"]
    assert data.dims == ("frame", "y", "x")
    assert list(data.coords) == ["omega"]
    assert data.coords["omega"].dims == ("frame",)
    assert data.coords["omega"].attrs["units"] == "deg"
    assert opened.hsc.default_plot().signal == "data"
    assert isinstance(opened, xr.DataTree)
