"""The plain layout takes any HDF5 file as the tree that it is, and all files that belong to it."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from hsc.errors import ConfigurationError, LayoutError
from hsc.layouts import facilities, find_facility, read_run


def read(path, layout=None):
    return read_run(path, layout=layout, time_zone="UTC")


def test_every_dataset_is_an_array_under_its_path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x/y"] = np.arange(4)
        file["x"].attrs["NX_class"] = "NXdata"
    run = read(tmp_path / "a.h5")
    assert [(array.path, array.shape) for array in run.arrays] == [("/x/y", (4,))]
    assert [group.attributes for group in run.groups] == [{}, {"NX_class": "NXdata"}]
    assert [file.name for file in run.files] == ["a.h5"]


def test_a_scan_of_circular_dichroism_has_roles_where_there_is_one_of_its_kind(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, shape in (("Wavelength", (3,)), ("CD", (2, 3)), ("HT", (2, 3)), ("abs", (3,))):
            file[f"entry/data/{name}"] = np.zeros(shape)
        file["entry/monochromator/wavelength"] = 0.9
        file["entry/text/cd"], file["entry/text/wavelength"] = "none", np.arange(3.0)
    assert read(tmp_path / "a.h5").roles == {
        "wavelength": "/entry/data/Wavelength", "ellipticity": "/entry/data/CD",
        "ht": "/entry/data/HT",
    }  # fmt: skip
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.copy("entry/data", "second")
    roles = read(tmp_path / "a.h5").roles
    assert roles == {
        f"{role}@{group}": f"/{group}/{name}"
        for group in ("entry/data", "second")
        for role, name in (("ellipticity", "CD"), ("ht", "HT"), ("wavelength", "Wavelength"))
    }
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["second/ellipticity"] = np.zeros(3)  # beside CD: which of the two?
    assert sorted(read(tmp_path / "a.h5").roles) == ["ellipticity", "ht", "wavelength"]


def test_an_angle_beside_a_wavelength_is_no_scan_of_circular_dichroism(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/theta"], file["entry/wavelength"] = np.zeros(3), np.zeros(3)
    assert read(tmp_path / "a.h5").roles == {}


def test_an_external_link_that_leads_nowhere_is_named_and_kept(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["g/out"] = h5py.ExternalLink("b.h5", "/x")
    run = read(tmp_path / "a.h5")
    (problem,) = run.problems
    assert problem.path == "/g/out"
    assert problem.reason == "an external link to b.h5:/x, which is missing"
    assert run.missing == ("b.h5, which /g/out reads from",)
    assert run.groups[1].links == {"out": {"external": "/x", "file": "b.h5"}}


def test_a_user_block_is_carried_byte_for_byte(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=512) as file:
        file["x"] = 1
    run = read(tmp_path / "a.h5")
    (asset,) = run.assets
    assert (asset.name, asset.start, asset.stop) == ("a.h5.userblock", 0, 512)
    assert not run.problems


def test_files_that_a_virtual_dataset_reads_belong_to_the_run(tmp_path):
    with h5py.File(tmp_path / "source.h5", "w") as file:
        file["x"] = np.arange(4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        layout = h5py.VirtualLayout((4,), "i8")
        layout[:] = h5py.VirtualSource("source.h5", "x", (4,))
        file.create_virtual_dataset("v", layout)
    run = read(tmp_path / "a.h5")
    assert [file.name for file in run.files] == ["a.h5", "source.h5"]
    assert not run.problems


def test_a_file_that_virtual_datasets_name_in_several_ways_is_one_file_of_the_run(tmp_path):
    (tmp_path / "parts").mkdir()
    with h5py.File(tmp_path / "parts" / "source.h5", "w") as file:
        file["x"] = np.arange(4)
    (tmp_path / "link.h5").symlink_to(tmp_path / "parts" / "source.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(4)
        names = ("parts/source.h5", "link.h5", str(tmp_path / "link.h5"), "a.h5")
        for number, name in enumerate(names):
            layout = h5py.VirtualLayout((4,), "i8")
            layout[:] = h5py.VirtualSource(name, "x", (4,))
            file.create_virtual_dataset(f"v{number}", layout)
    run = read(tmp_path / "a.h5")
    assert [file.name for file in run.files] == ["a.h5", "parts/source.h5"]
    assert not run.problems


def test_files_out_of_the_folder_do_not_belong_to_the_run(tmp_path):
    (tmp_path / "run").mkdir()
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.arange(4)
    with h5py.File(tmp_path / "run" / "a.h5", "w") as file:
        layout = h5py.VirtualLayout((4,), "i8")
        layout[:] = h5py.VirtualSource("../secret.h5", "x", (4,))
        file.create_virtual_dataset("v", layout)
    run = read(tmp_path / "run" / "a.h5")
    assert [file.name for file in run.files] == ["a.h5"]
    assert not run.arrays
    (problem,) = run.problems
    assert problem.reason == "its source ../secret.h5 leads out of the run's folder"


@pytest.mark.parametrize("time", ["", "yesterday", "2026-05-04T10:00:00Z", "2026-13-01"])
def test_a_time_that_cannot_be_read_is_no_time(tmp_path, time):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("entry").attrs["NX_class"] = "NXentry"
        file["entry/start_time"] = time
        file["entry/title"] = np.array([b"\xff"], "S1")
    facts = read(tmp_path / "a.h5").facts
    assert (facts.collected is not None) == time.endswith("Z")
    assert facts.title == ""


def test_facts_that_lead_nowhere_are_absent(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = np.array([b"NXentry"])
        entry["title"] = h5py.SoftLink("/nowhere")
        entry["sample"] = h5py.ExternalLink("gone.h5", "/x")
        entry["instrument/detector/distance"] = np.nan
        entry["instrument/detector/count_time"] = h5py.Empty("f8")
        entry["instrument/beam/incident_wavelength"] = [1.0, 2.0]
    facts = read(tmp_path / "a.h5").facts
    assert (facts.title, facts.sample, dict(facts.quantities)) == ("", None, {})


def test_sources_of_a_virtual_dataset_that_are_not_there_are_missing(tmp_path):
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["x"] = np.arange(4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        layout = h5py.VirtualLayout((12,), "i8")
        for number, name in enumerate(["one.h5", "two.h5", "three.h5"]):
            layout[4 * number : 4 * number + 4] = h5py.VirtualSource(name, "x", (4,))
        file.create_virtual_dataset("v", layout)
        file.create_virtual_dataset("w", layout)
    run = read(tmp_path / "a.h5")
    assert run.missing == (
        "two.h5, which /v reads from, as do 1 more", "three.h5, which /v reads from, as do 1 more",
    )  # fmt: skip
    assert [problem.path for problem in run.problems] == ["/v", "/w"]


def test_an_unknown_layout_and_one_that_does_not_fit_are_refused(tmp_path):
    with pytest.raises(LayoutError, match="not arranged as plain"):
        read(tmp_path, layout="plain")
    with h5py.File(tmp_path / "a.h5", "w"):
        pass
    with pytest.raises(ConfigurationError, match=r"exfel, dectris, folder, .*plain"):
        read(tmp_path / "a.h5", layout="nosuch")


def test_each_facility_has_a_file_of_its_own():
    assert {"local", "maxiv", "desy"} <= set(facilities())
    for name, facility in facilities().items():
        assert find_facility(name) == facility
        assert facility.pid_prefix.startswith("hsc.")
    with pytest.raises(ConfigurationError, match="nosuch"):
        find_facility("nosuch")


@pytest.mark.parametrize("way", ["external link", "virtual dataset"])
def test_no_fact_is_taken_from_another_file(tmp_path, way):
    (tmp_path / "run").mkdir()
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["title"] = "secret"
        file["wavelength"] = np.array([1.5])
    with h5py.File(tmp_path / "run" / "a.h5", "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        if way == "external link":
            entry["title"] = h5py.ExternalLink("../secret.h5", "title")
        else:
            layout = h5py.VirtualLayout((1,), "f8")
            layout[:] = h5py.VirtualSource("../secret.h5", "wavelength", (1,))
            entry.create_virtual_dataset("instrument/monochromator/wavelength", layout)
    facts = read(tmp_path / "run" / "a.h5").facts
    assert (facts.title, dict(facts.quantities)) == ("", {})


def test_instruments_bear_the_names_that_their_facility_gives_them():
    assert find_facility("xfel").instrument("SPB") == "SPB/SFX"
    assert find_facility("desy").instrument("EMBL P12") == "P12"
    assert find_facility("maxiv").instrument("cosaxs") == "CoSAXS"
    assert find_facility("maxiv").instrument("a new one") == "a new one"
    assert find_facility("local").instrument(None) is None
