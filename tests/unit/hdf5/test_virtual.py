"""Virtual datasets are carried only over sources that are there, plain, and in the folder."""

from __future__ import annotations

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from hsc.hdf5 import open_hdf5, walk

WALK = """
import pathlib, sys
from hsc.hdf5 import open_hdf5, walk
with open_hdf5(pathlib.Path(sys.argv[1])) as file:
    tree = walk(file)
print([dataset.path for dataset in tree.datasets])
for problem in tree.problems:
    print(problem.path, problem.reason)
"""


@pytest.fixture
def folder(tmp_path):
    """Make a folder of a run, with a file beside it that is none of the run's."""
    made = tmp_path / "run"
    made.mkdir()
    for path in (made / "there.h5", tmp_path / "secret.h5"):
        with h5py.File(path, "w") as file:
            file["x"] = np.arange(4)
            file["g/x"] = np.arange(4)
    return made


def add(file, name, source, path):
    layout = h5py.VirtualLayout((4,), "i8")
    layout[:] = h5py.VirtualSource(source, path, (4,))
    file.create_virtual_dataset(name, layout, fillvalue=0)


def add_unlimited(file, name, source, path="x"):
    """Add one whose shape HDF5 asks of its source, or of as many as there are to a pattern."""
    endless, pattern = h5py.h5s.UNLIMITED, "%" in source + path
    space = h5py.h5s.create_simple((0,), (endless,))
    count, block = ((endless,), (4,)) if pattern else ((1,), (endless,))
    space.select_hyperslab((0,), count, (4,), block)
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    whole = h5py.h5s.create_simple((4,))
    created.set_virtual(space, source.encode(), path.encode(), whole if pattern else space)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_INT64, space, created)


def walk_over(folder, sources):
    """Walk a file with one virtual dataset of a name for each source."""
    with h5py.File(folder / "main.h5", "w") as file:
        for name, (source, path) in sources.items():
            add(file, name, str(source), path)
    return walk_file(folder / "main.h5")


def walk_file(path):
    with open_hdf5(path) as file:
        tree = walk(file)
    return [d.path for d in tree.datasets], {p.path: p.reason for p in tree.problems}, tree


def test_sources_in_the_folder_are_carried_through_soft_links_of_their_file(folder):
    with h5py.File(folder / "there.h5", "a") as file:
        file["soft"] = h5py.SoftLink("/g")
        file["g/near"] = h5py.SoftLink("./x")
    sources = {
        "a": ("there.h5", "x"),
        "b": ("there.h5", "/soft/near"),
        "c": (folder / "there.h5", "g/x"),
        "d": ("./there.h5", "g//x"),
        "e": ("../run/there.h5", "g/x"),
    }
    datasets, problems, _ = walk_over(folder, sources)
    assert not problems
    assert datasets == ["/a", "/b", "/c", "/d", "/e"]


def test_what_a_virtual_dataset_over_a_virtual_dataset_lacks_is_named(folder):
    with h5py.File(folder / "middle.h5", "w") as file:
        add(file, "v", "gone.h5", "x")
        add(file, "whole", "there.h5", "x")
    with h5py.File(folder / "main.h5", "w") as file:
        add(file, "far", "middle.h5", "v")
        add(file, "near", ".", "far")
        add(file, "whole", "middle.h5", "whole")
    datasets, problems, tree = walk_file(folder / "main.h5")
    assert datasets == ["/whole"]
    assert [path.name for path in tree.files] == ["main.h5", "middle.h5", "there.h5"]
    gone = "is virtual itself, and its source gone.h5 is missing"
    assert problems == {
        "/far": f"its source middle.h5:v {gone}",
        "/near": f"its source .:far is virtual itself, and its source middle.h5:v {gone}",
    }


def test_virtual_datasets_over_each_other_end(folder):
    with h5py.File(folder / "other.h5", "w") as file:
        add(file, "v", "main.h5", "v")
    with h5py.File(folder / "main.h5", "w") as file:
        add(file, "v", "other.h5", "v")
        add(file, "self", ".", "self")
    datasets, problems, _ = walk_file(folder / "main.h5")
    assert not datasets
    assert all("leads back to the dataset itself" in reason for reason in problems.values())
    assert set(problems) == {"/v", "/self"}


def test_a_source_with_raw_data_elsewhere_is_named(folder):
    with h5py.File(folder / "there.h5", "a") as file:
        file.create_dataset("raw", (4,), "i8", external=[("raw.bin", 0, 32)])
    datasets, problems, _ = walk_over(folder, {"v": ("there.h5", "raw")})
    assert not datasets
    assert problems["/v"] == "its source there.h5:raw has raw data: raw.bin is missing"


def test_a_source_behind_an_external_link_is_named(folder):
    with h5py.File(folder / "there.h5", "a") as file:
        file["a/out"] = h5py.ExternalLink("../secret.h5", "/g")
        file["soft"] = h5py.SoftLink("/a/out/x")
        file["leaf"] = h5py.ExternalLink("../secret.h5", "/x")
        file["loop"] = h5py.SoftLink("/loop")
    paths = ["a/out/x", "soft", "leaf"]
    sources = {f"v{n}": ("there.h5", path) for n, path in enumerate(paths)}
    datasets, problems, _ = walk_over(folder, {**sources, "loop": ("there.h5", "loop")})
    assert not datasets
    assert "more than 16 links" in problems.pop("/loop")
    assert list(problems) == ["/v0", "/v1", "/v2"]
    led = "lies behind an external link to ../secret.h5, which leads out of the run's folder"
    assert all(led in reason for reason in problems.values())


def test_a_source_behind_an_external_link_in_the_folder_is_carried(folder):
    with h5py.File(folder / "link.h5", "w") as file:
        file["out"] = h5py.ExternalLink("there.h5", "/g")
    datasets, problems, tree = walk_over(folder, {"v": ("link.h5", "out/x")})
    assert (datasets, problems) == (["/v"], {})
    assert [path.name for path in tree.files] == ["main.h5", "link.h5", "there.h5"]


def test_a_source_out_of_the_folder_is_named(folder, tmp_path):
    (folder / "away.h5").symlink_to(tmp_path / "secret.h5")
    (folder / "up").symlink_to(tmp_path)
    outside = ["../secret.h5", str(tmp_path / "secret.h5"), "away.h5", "up/secret.h5", "../no.h5"]
    sources = {f"v{n}": (name, "x") for n, name in enumerate(outside)}
    datasets, problems, tree = walk_over(folder, sources)
    assert (datasets, tree.virtual_files) == ([], ())
    assert problems == {
        f"/v{n}": f"its source {name} leads out of the run's folder"
        for n, name in enumerate(outside)
    }


def test_a_file_out_of_the_folder_is_not_opened_even_to_learn_a_shape(folder, tmp_path):
    # Whoever opens a pipe waits for its writer, and there is none: so in a program of its own.
    os.mkfifo(tmp_path / "pipe.h5")
    with h5py.File(folder / "main.h5", "w") as file:
        add_unlimited(file, "out", "../pipe.h5")
        add_unlimited(file, "in", "there.h5")
    done = subprocess.run(
        [sys.executable, "-c", WALK, str(folder / "main.h5")],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "['/in']",
        "/out its source ../pipe.h5 leads out of the run's folder",
    ]


def test_the_sources_of_a_pattern_of_names_are_carried(folder):
    for number in range(3):
        with h5py.File(folder / f"part%-{number}.h5", "w") as file:
            file["x"] = np.arange(4)
    with h5py.File(folder / "there.h5", "a") as file:
        file["x0"], file["x1"] = np.arange(4), np.arange(4)
    with h5py.File(folder / "main.h5", "w") as file:
        add_unlimited(file, "v", "part%%-%b.h5")
        add_unlimited(file, "w", "there.h5", "x%b")
    _, problems, tree = walk_file(folder / "main.h5")
    assert not problems
    assert {d.path: d.shape for d in tree.datasets} == {"/v": (12,), "/w": (8,)}
    names = ["main.h5", "part%-0.h5", "part%-1.h5", "part%-2.h5", "there.h5"]
    assert [path.name for path in tree.files] == names


def test_a_gap_in_a_pattern_of_names_is_named_for_hdf5_stops_there_without_a_word(folder):
    for number in (0, 3):
        with h5py.File(folder / f"part-{number}.h5", "w") as file:
            file["x"] = np.arange(4)
    with h5py.File(folder / "there.h5", "a") as file:
        file["x0"], file["x2"] = np.arange(4), np.arange(4)
    with h5py.File(folder / "main.h5", "w") as file:
        add_unlimited(file, "none", "nothing-%b.h5")
        add_unlimited(file, "v", "part-%b.h5")
        add_unlimited(file, "w", "there.h5", "x%b")
    datasets, problems, _ = walk_file(folder / "main.h5")
    assert not datasets
    assert problems == {
        "/none": "its source nothing-0.h5:x is missing",
        "/v": "its source part-1.h5:x is missing, but number 3 is there",
        "/w": "its source there.h5:x1 is missing, but number 2 is there",
    }


def test_a_source_that_is_smaller_than_what_is_wanted_of_it_is_named(folder):
    with h5py.File(folder / "main.h5", "w") as file:
        layout = h5py.VirtualLayout((12,), "i8")
        layout[:8] = h5py.VirtualSource("there.h5", "x", (8,))
        layout[8:] = h5py.VirtualSource("there.h5", "x", (8,))[3:7]
        file.create_virtual_dataset("v", layout)
    _, problems, _ = walk_file(folder / "main.h5")
    assert problems["/v"] == (
        "its source there.h5:x holds 4 elements, and 8 are wanted; "
        "its source there.h5:x is (4,), and more of it is wanted, up to (7,)"
    )


@pytest.mark.parametrize("variable", ["HDF5_VDS_PREFIX", "HDF5_EXT_PREFIX"])
def test_a_variable_that_sends_hdf5_elsewhere_is_named(folder, tmp_path, variable):
    (tmp_path / "elsewhere").mkdir()
    with h5py.File(tmp_path / "elsewhere" / "there.h5", "w") as file:
        file["x"] = np.arange(4) + 100
    with h5py.File(folder / "main.h5", "w") as file:
        add(file, "v", "there.h5", "x")
    done = subprocess.run(
        [sys.executable, "-c", WALK, str(folder / "main.h5")],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={**os.environ, variable: str(tmp_path / "elsewhere")},
    )
    assert done.stdout.splitlines() == [
        "[]",
        f"/v where its sources are can't be told while {variable} is set: unset it",
    ]


def test_a_source_that_is_no_hdf5_file_or_no_dataset_is_named(folder):
    (folder / "text.h5").write_text("nothing of the kind")
    datasets, problems, _ = walk_over(folder, {"t": ("text.h5", "x"), "g": ("there.h5", "g")})
    assert not datasets
    assert problems == {
        "/t": "its source text.h5 can't be read: not an HDF5 file",
        "/g": "its source there.h5:g is no dataset",
    }


def test_of_many_bad_sources_some_are_named_and_the_rest_counted(folder):
    with h5py.File(folder / "main.h5", "w") as file:
        layout = h5py.VirtualLayout((30,), "i8")
        for number in range(30):
            layout[number] = h5py.VirtualSource(f"gone{number:02}.h5", "x", (1,))
        file.create_virtual_dataset("v", layout)
    _, problems, _ = walk_file(folder / "main.h5")
    assert problems["/v"].startswith("its source gone00.h5 is missing; ")
    assert problems["/v"].endswith("; and 20 more")


@pytest.mark.skipif(os.name != "posix", reason="there HDF5 knows such names")
@pytest.mark.parametrize("name", [r"C:\data\there.h5", "C:/data/there.h5", r"\\host\x\there.h5"])
def test_a_source_named_as_on_windows_is_missing_where_hdf5_gives_fill_values_for_it(folder, name):
    with h5py.File(folder / "main.h5", "w") as file:
        layout = h5py.VirtualLayout((2,), "i8")
        layout[:] = h5py.VirtualSource(name, "x", (4,))[::2]
        file.create_virtual_dataset("v", layout, fillvalue=7)
    with open_hdf5(folder / "main.h5") as file:
        assert file["v"][...].tolist() == [7, 7]  # and there.h5 lies beside it
        tree = walk(file)
    assert [dataset.path for dataset in tree.datasets] == []
    (problem,) = tree.problems
    assert problem.path == "/v"
    assert "is missing" in problem.reason
    assert problem.lacking == (name,)
