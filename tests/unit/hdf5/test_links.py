"""Links are kept as links; what an external one leads to in the run's folder is carried too."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from contextlib import contextmanager

import h5py
import numpy as np
import pytest

from hsc.hdf5 import open_hdf5, walk

WALK = """
import pathlib, sys
from hsc.hdf5 import open_hdf5, walk
path = pathlib.Path(sys.argv[1])
with open_hdf5(path) as file:
    tree = walk(file, follow=True)
print([dataset.path for dataset in tree.datasets])
for problem in tree.problems:
    print(problem.path, problem.reason)
"""


@pytest.fixture
def folder(tmp_path):
    """Make a folder of a run with two files, and a file beside it that is none of the run's."""
    made = tmp_path / "run"
    made.mkdir()
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.arange(4)
    with h5py.File(made / "other.h5", "w") as file:
        file["x"] = np.arange(3)
        file["g/deep/y"] = np.arange(2)
        file["g"].attrs["note"] = "from the other file"
        file["g/again"] = file["x"]
        file["g/soft"] = h5py.SoftLink("/x")
    return made


def walked(path, **options):
    with open_hdf5(path) as file:
        return walk(file, follow=True, **options)


def linked(of, **targets):
    """Walk a file that has an external link of each name."""
    with h5py.File(of / "main.h5", "w") as file:
        for name, (other, path) in targets.items():
            file[name] = h5py.ExternalLink(str(other), path)
    return walked(of / "main.h5")


def found(tree):
    return {d.path: (tree.files[d.file].name, d.object_path) for d in tree.datasets}


def reasons(tree):
    return {problem.path: problem.reason for problem in tree.problems}


def test_a_dataset_behind_an_external_link_is_carried_and_the_link_is_kept(folder):
    tree = linked(folder, data=("other.h5", "/g/deep/y"))
    assert found(tree) == {"/data": ("other.h5", "/g/deep/y")}
    assert tree.groups[0].links == {"data": {"external": "/g/deep/y", "file": "other.h5"}}
    assert not tree.problems


def test_a_whole_group_behind_an_external_link_is_carried(folder):
    tree = linked(folder, there=("other.h5", "/g"))
    assert found(tree) == {
        "/there/again": ("other.h5", "/x"),
        "/there/deep/y": ("other.h5", "/g/deep/y"),
    } or found(tree) == {
        "/there/again": ("other.h5", "/g/again"),
        "/there/deep/y": ("other.h5", "/g/deep/y"),
    }
    groups = {group.path: group for group in tree.groups}
    assert list(groups) == ["/", "/there", "/there/deep"]
    assert groups["/there"].attributes == {"note": "from the other file"}
    assert groups["/there"].links == {"soft": {"soft": "/x"}}


def test_an_object_that_several_links_lead_to_is_carried_once(folder):
    tree = linked(folder, a=("other.h5", "/x"), b=("./other.h5", "/g"), c=("other.h5", "/x"))
    assert sorted(found(tree)) == ["/a", "/b/deep/y"]
    groups = {group.path: group for group in tree.groups}
    assert groups["/"].links["c"] == {"external": "/x", "file": "other.h5", "at": "/a"}
    assert groups["/b"].links["again"] == {"hard": "/a"}


def test_files_that_link_each_other_end(folder):
    with h5py.File(folder / "other.h5", "a") as file:
        file["g/back"] = h5py.ExternalLink("main.h5", "/")
        file["g/self"] = h5py.ExternalLink("other.h5", "/g")
    tree = linked(folder, there=("other.h5", "/g"), home=("main.h5", "/"))
    groups = {group.path: group for group in tree.groups}
    assert list(groups) == ["/", "/there", "/there/deep"]
    assert groups["/"].links["home"]["at"] == "/"
    assert groups["/there"].links["back"]["at"] == "/"
    assert groups["/there"].links["self"]["at"] == "/there"
    assert [path.name for path in tree.files] == ["main.h5", "other.h5"]
    assert not tree.problems


def test_external_links_that_lead_to_each_other_are_named(folder):
    with h5py.File(folder / "other.h5", "a") as file:
        file["loop"] = h5py.ExternalLink("main.h5", "/loop")
    tree = linked(folder, loop=("other.h5", "/loop"))
    assert "lies behind more than 16 links" in reasons(tree)["/loop"]


def test_an_external_link_through_soft_and_external_links_arrives(folder):
    with h5py.File(folder / "third.h5", "w") as file:
        file["z"] = np.arange(5)
    with h5py.File(folder / "other.h5", "a") as file:
        file["away"] = h5py.ExternalLink("third.h5", "/")
        file["short"] = h5py.SoftLink("/away/z")
    tree = linked(folder, data=("other.h5", "short"))
    assert found(tree) == {"/data": ("third.h5", "/z")}
    assert [path.name for path in tree.files] == ["main.h5", "other.h5", "third.h5"]


def test_no_link_leads_out_of_the_folder(folder, tmp_path):
    (folder / "away.h5").symlink_to(tmp_path / "secret.h5")
    (folder / "up").symlink_to(tmp_path)
    (folder / "loop.h5").symlink_to(folder / "loop.h5")
    names = {
        "absolute": tmp_path / "secret.h5",
        "dots": "../secret.h5",
        "symlink": "away.h5",
        "through": "up/secret.h5",
        "passwd": "/etc/passwd",
        "inside_and_out": "../run/../secret.h5",
        "device": "/dev/zero",
    }
    tree = linked(folder, **{name: (target, "/x") for name, target in names.items()})
    assert not tree.datasets
    assert reasons(tree) == {
        f"/{name}": f"an external link to {target}:/x, which leads out of the run's folder"
        for name, target in names.items()
    }
    assert set(tree.groups[0].links) == set(names)


def test_what_is_missing_or_no_hdf5_is_named_and_kept_as_a_link(folder):
    (folder / "text.h5").write_bytes(b"nothing of the kind")
    (folder / "loop.h5").symlink_to(folder / "loop.h5")
    tree = linked(
        folder,
        no_file=("gone.h5", "/x"),
        no_object=("other.h5", "/nothing"),
        text=("text.h5", "/x"),
        loop=("loop.h5", "/x"),
        folder=(".", "/x"),
    )
    what = {path: reason.partition("which ")[2] for path, reason in reasons(tree).items()}
    assert what == {
        "/no_file": "is missing",
        "/no_object": "is missing",
        "/text": "can't be read: not an HDF5 file",
        "/loop": "is missing",
        "/folder": "is missing",
    }
    assert len(tree.groups[0].links) == 5


def test_a_run_that_was_moved_finds_its_files_beside_it(folder):
    tree = linked(folder, data=("/data/visitor/2019/other.h5", "/x"))
    assert found(tree) == {"/data": ("other.h5", "/x")}


def test_a_variable_that_sends_hdf5_elsewhere_is_named(folder, tmp_path):
    linked(folder, data=("other.h5", "/x"))
    done = subprocess.run(
        [sys.executable, "-c", WALK, str(folder / "main.h5")],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={**os.environ, "HDF5_EXT_PREFIX": str(tmp_path)},
    )
    assert done.stdout.splitlines() == [
        "[]",
        "/data an external link to other.h5:/x, which can't be told while HDF5_EXT_PREFIX is "
        "set: unset it",
    ]


def test_links_that_the_layout_knows_are_not_followed(folder):
    with h5py.File(folder / "main.h5", "w") as file:
        file["g/data_1"] = h5py.ExternalLink("gone.h5", "/x")
        file["g/data_2"] = h5py.ExternalLink("other.h5", "/x")
    tree = walked(folder / "main.h5", known=["/g/data_1", "/g/data_2"])
    assert not tree.problems
    assert not tree.datasets
    assert len(tree.groups[1].links) == 2


def test_soft_links_that_dangle_or_loop_are_links(folder):
    with h5py.File(folder / "main.h5", "w") as file:
        file["nowhere"] = h5py.SoftLink("/gone")
        file["loop"] = h5py.SoftLink("loop")
    tree = walked(folder / "main.h5")
    assert not tree.problems
    assert tree.groups[0].links == {"nowhere": {"soft": "/gone"}, "loop": {"soft": "loop"}}


def test_a_user_defined_link_is_kept_with_its_class_and_bytes(folder):
    with h5py.File(folder / "main.h5", "w") as file:
        file["a"] = np.arange(3)
        library = ctypes.CDLL(h5py.h5l.__file__)
        create = library.H5Lcreate_ud
        create.argtypes = [
            ctypes.c_int64, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t,
            ctypes.c_int64, ctypes.c_int64,
        ]  # fmt: skip
        with registered(library, 200):
            assert create(file.id.id, b"own", 200, b"\0\xffbytes", 7, 0, 0) >= 0
            assert create(file.id.id, b"bare", 200, b"", 0, 0, 0) >= 0
    tree = walked(folder / "main.h5")
    assert not tree.problems
    assert tree.groups[0].links == {
        "own": {"class": "200", "hex": b"\0\xffbytes".hex()},
        "bare": {"class": "200", "hex": ""},
    }
    assert library.H5Lis_registered(200) == 0


@contextmanager
def registered(library, number):
    """Make a class of links known to HDF5, as its maker does."""
    follow = ctypes.CFUNCTYPE(ctypes.c_int64)(lambda: -1)
    made = LinkClass(1, number, b"ours", traverse=ctypes.cast(follow, ctypes.c_void_p))
    assert library.H5Lregister(ctypes.byref(made)) >= 0
    yield
    library.H5Lunregister(number)


class LinkClass(ctypes.Structure):
    """HDF5's ``H5L_class_t``."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("id", ctypes.c_int),
        ("comment", ctypes.c_char_p),
        *((name, ctypes.c_void_p) for name in ("create", "move", "copy", "traverse")),
        *((name, ctypes.c_void_p) for name in ("delete", "query")),
    )


def test_named_types_are_kept_and_referred_to(folder):
    with h5py.File(folder / "main.h5", "w") as file:
        file["types/metres"] = np.dtype("<f4")
        file["types/metres"].attrs["units"] = "m"
        file.create_dataset("a", (2,), file["types/metres"])
        file["types/again"] = file["types/metres"]
        file["lost"] = np.dtype("<i2")
        file.create_dataset("b", (2,), file["lost"])
        del file["lost"]
    tree = walked(folder / "main.h5")
    encoded = h5py.h5t.IEEE_F32LE.encode().hex()
    assert tree.groups[0].attributes["hsc:types"] == {
        "/types/again": {"h5t": encoded, "attributes": {"units": "m"}}
    }
    assert [d.attributes["hsc:named_type"] for d in tree.datasets] == ["/types/again", ""]
    assert tree.groups[1].links == {"metres": {"hard": "/types/again"}}
    assert not tree.problems
