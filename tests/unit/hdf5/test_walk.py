"""The walk meets each object once, whatever the links do, and names what it can't carry."""

from __future__ import annotations

import h5py
import hdf5plugin
import numpy as np
import pytest

from hsc.errors import HscError
from hsc.hdf5 import open_hdf5, walk


@pytest.fixture
def walked(tmp_path):
    """Write a file and walk it."""

    def run(write, **options):
        path = tmp_path / "a.h5"
        with h5py.File(path, "w", **options) as file:
            write(file)
        with open_hdf5(path) as file:
            return walk(file)

    return run


def paths(found):
    return [each.path for each in found]


def test_cycles_end_and_are_links(walked):
    def write(file):
        one = file.create_group("a/b")
        one["up"] = file["a"]
        one["self"] = one
        file["a/root"] = file["/"]

    tree = walked(write)
    assert paths(tree.groups) == ["/", "/a", "/a/b"]
    assert tree.groups[1].links == {"root": {"hard": "/"}}
    assert tree.groups[2].links == {"self": {"hard": "/a/b"}, "up": {"hard": "/a"}}
    assert not tree.problems


def test_a_second_hard_link_is_a_link_to_the_first(walked):
    def write(file):
        file["z"] = np.arange(3)
        file["a"] = file["z"]
        file["g/again"] = file["z"]

    tree = walked(write)
    assert paths(tree.datasets) == ["/a"]
    assert tree.groups[0].links == {"z": {"hard": "/a"}}
    assert tree.groups[1].links == {"again": {"hard": "/a"}}


def test_a_tree_of_400_levels_is_walked(walked):
    def write(file):
        group = file
        for _ in range(400):
            group = group.create_group("g")
        group["x"] = 1

    tree = walked(write)
    assert len(tree.groups) == 401
    assert paths(tree.datasets) == ["/g" * 400 + "/x"]


def test_soft_external_and_dangling_links_are_kept_as_links(walked):
    def write(file):
        file["x"] = 1
        file["soft"] = h5py.SoftLink("/x")
        file["dangling"] = h5py.SoftLink("/nowhere/å")
        file["loop"] = h5py.SoftLink("/loop")
        file["outside"] = h5py.ExternalLink("other.h5", "/data")

    tree = walked(write)
    assert tree.groups[0].links == {
        "dangling": {"soft": "/nowhere/å"},
        "loop": {"soft": "/loop"},
        "outside": {"external": "/data", "file": "other.h5"},
        "soft": {"soft": "/x"},
    }
    assert paths(tree.datasets) == ["/x"]
    assert not tree.problems


def test_names_that_are_no_utf8_are_walked(walked):
    def write(file):
        space = h5py.h5s.create_simple((3,))
        h5py.h5d.create(file.id, b"n\xe9", h5py.h5t.NATIVE_INT32, space)
        h5py.h5g.create(file.id, b"g\xff")
        file["g"] = h5py.SoftLink("/x")
        h5py.h5a.create(file.id, b"a\xe9", h5py.h5t.NATIVE_INT32, space)

    tree = walked(write)
    assert paths(tree.groups) == ["/", "/g\udcff"]
    assert paths(tree.datasets) == ["/n\udce9"]
    assert tree.groups[0].attributes["a%E9"] == [0, 0, 0]
    assert not tree.problems


def test_what_h5py_cannot_read_is_named(walked):
    def write(file):
        space = h5py.h5s.create_simple((2,))
        times = h5py.h5t.vlen_create(h5py.h5t.UNIX_D32LE)
        tagged = h5py.h5t.create(h5py.h5t.OPAQUE, 3)
        tagged.set_tag(b"three")
        pair = h5py.h5t.create(h5py.h5t.COMPOUND, 24)
        pair.insert(b"good", 0, h5py.h5t.STD_I64LE)
        pair.insert(b"times", 8, times)
        h5py.h5d.create(file.id, b"times", times, space)
        h5py.h5d.create(file.id, b"pair", pair, space)
        h5py.h5d.create(file.id, b"tagged", h5py.h5t.vlen_create(tagged), space)
        h5py.h5a.create(file.id, b"times", times, space)
        file["named"] = np.dtype("f8")
        file.create_dataset("raw", (4,), "u1", external=[("raw.bin", 0, 4)])

    tree = walked(write)
    problems = {problem.path: problem.reason for problem in tree.problems}
    assert set(problems) == {
        "/@times", "/times", "/pair/times", "/tagged", "/raw",
    }  # fmt: skip
    assert all(problems.values())
    assert "/pair/good" in paths(tree.datasets)


def test_a_virtual_dataset_whose_source_is_missing_is_named(walked, tmp_path):
    with h5py.File(tmp_path / "there.h5", "w") as file:
        file["x"] = np.arange(4)

    def write(file):
        file["own"] = np.arange(4)
        for name, source, dataset in (
            ("whole", "there.h5", "x"),
            ("here", ".", "own"),
            ("no_file", "gone.h5", "x"),
            ("no_dataset", "there.h5", "y"),
            ("not_here", ".", "nothing"),
        ):
            layout = h5py.VirtualLayout((4,), "i8")
            layout[:] = h5py.VirtualSource(source, dataset, (4,))
            file.create_virtual_dataset(name, layout)

    tree = walked(write)
    assert paths(tree.datasets) == ["/here", "/own", "/whole"]
    assert paths(tree.problems) == ["/no_dataset", "/no_file", "/not_here"]
    assert [path.name for path in tree.files] == ["a.h5", "there.h5"]


def test_fill_values_are_those_of_hdf5(walked):
    def write(file):
        for name, dtype, fill in (
            ("f", "f4", np.nan), ("u", "u8", 2**64 - 1), ("i", ">i2", -3), ("b", bool, True),
            ("c", "c8", 1 + 2j), ("s", h5py.string_dtype(), "å"), ("s3", "S3", b"ab"),
        ):  # fmt: skip
            file.create_dataset(name, (4,), dtype, chunks=(2,), fillvalue=fill)
        file.create_dataset("none", (4,), "i4", chunks=(2,))
        file.create_dataset("text", (4,), h5py.string_dtype(), chunks=(2,))

    fills = {d.path[1:]: d.fill_value for d in walked(write).datasets}
    assert np.isnan(fills.pop("f"))
    assert fills == {
        "u": 2**64 - 1, "i": -3, "b": True, "c": 1 + 2j, "s": "å", "s3": "ab", "none": 0,
        "text": "",
    }  # fmt: skip


def test_chunks_are_found_where_they_lie_in_c_order(walked, tmp_path):
    data = np.arange(7 * 10, dtype="u2").reshape(7, 10)

    def write(file):
        made = file.create_dataset("d", (7, 10), "u2", chunks=(3, 4), **hdf5plugin.Bitshuffle())
        for row, column in ((2, 2), (0, 1), (1, 0)):
            part = (slice(3 * row, 3 * row + 3), slice(4 * column, 4 * column + 4))
            made[part] = data[part]
        file["contiguous"] = data
        file.create_dataset("untouched", (5,), "f8")
        file.create_dataset("empty", (0, 5), "f8", chunks=(1, 5), maxshape=(None, 5))

    found = {d.path: d.index for d in walked(write).datasets}
    index = found["/d"]
    assert index.places.tolist() == [[0, 1], [1, 0], [2, 2]]
    with h5py.File(tmp_path / "a.h5") as file:
        for place, offset, size in zip(index.places, index.offsets, index.sizes, strict=True):
            mask, chunk = file["d"].id.read_direct_chunk(tuple(int(x) for x in place * (3, 4)))
            raw = (tmp_path / "a.h5").read_bytes()[int(offset) : int(offset + size)]
            assert (mask, chunk) == (0, raw)
    assert [len(found[name]) for name in ("/contiguous", "/untouched", "/empty")] == [1, 0, 0]


@pytest.mark.parametrize("layout", ["earliest", "latest"])
def test_a_truncated_file_is_an_error_or_the_same_tree(tmp_path, layout):
    path, cut = tmp_path / "whole.h5", tmp_path / "cut.h5"
    with h5py.File(path, "w", libver=layout) as file:
        for number in range(20):
            group = file.create_group(f"g{number}")
            group.attrs["units"] = "mm"
            group.create_dataset("x", data=np.arange(50), chunks=(10,), compression="gzip")
        file["last"] = np.arange(1000)
    with open_hdf5(path) as file:
        whole = walk(file)
    data = path.read_bytes()
    errors = []
    for length in np.linspace(0, len(data) - 1, 50).astype(int):
        cut.write_bytes(data[:length])
        try:
            with open_hdf5(cut) as file:
                assert paths(walk(file).datasets) == paths(whole.datasets)
        except HscError as error:
            errors.append(error)
    assert errors
    assert all(str(cut) in str(error) for error in errors)


def test_bytes_flipped_in_the_structures_end_in_an_error_or_a_named_problem(tmp_path):
    path, hurt = tmp_path / "whole.h5", tmp_path / "hurt.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(6):
            made = file.create_dataset(f"g{number}/x", data=np.arange(9), chunks=(3,))
            made.attrs["a"] = "text"
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    told = 0
    for position in rng.integers(0, len(data), 300):
        changed = bytearray(data)
        changed[position] ^= 1 << int(rng.integers(8))
        hurt.write_bytes(changed)
        try:
            with open_hdf5(hurt) as file:
                told += bool(walk(file).problems)
        except HscError:
            told += 1
    assert told


def test_names_that_are_worded_alike_are_named_and_none_is_lost_in_silence(walked):
    def write(file):
        scalar = h5py.h5s.create(h5py.h5s.SCALAR)
        for parent, make in (
            ("datasets", lambda g, n: h5py.h5d.create(g, n, h5py.h5t.NATIVE_INT32, scalar)),
            ("groups", h5py.h5g.create),
            ("links", lambda g, n: g.links.create_soft(n, b"/x")),
            ("attributes", lambda g, n: h5py.h5a.create(g, n, h5py.h5t.NATIVE_INT32, scalar)),
        ):
            group = file.create_group(parent)
            for name in (b"s\xfe", b"s\\xfe", b"s"):
                make(group.id, name)

    tree = walked(write)
    problems = {problem.path: problem.reason for problem in tree.problems}
    assert set(problems) == {
        f"/{parent}/s{end}"
        for parent in ("datasets", "groups", "links")
        for end in ("\udcfe", "\\xfe")
    }
    assert set(problems.values()) == {"its name can't be told from another's"}
    assert paths(tree.datasets) == ["/datasets/s"]
    assert "/groups/s" in paths(tree.groups)
    links = {group.path: list(group.links) for group in tree.groups if group.links}
    assert links == {"/links": ["s"]}
    attributes = next(g.attributes for g in tree.groups if g.path == "/attributes")
    # An attribute's name is noted with its bytes, so that all three are there.
    assert {"s", "s\\xfe", "s%FE"} <= set(attributes)
    assert attributes["hsc:attribute_types"]["s%FE"]["name_hex"] == b"s\xfe".hex()


def test_text_that_is_no_utf8_is_carried_as_its_bytes(walked):
    def write(file):
        file["fixed"] = np.array([[b"ok", b"\xe9"]], "S2")
        file["scalar"] = np.bytes_(b"\xff")
        made = file.create_dataset("ragged", (3,), h5py.string_dtype(), chunks=(1,))
        made[1] = b"\xc3"
        file["good"] = np.array(["å".encode(), b""], "S2")
        big = file.create_dataset("big", (1_000_001,), "S1", chunks=(1_000_001,), compression=1)
        big[:2] = np.array([b"a", b"\xff"])

    tree = walked(write)
    assert not tree.problems
    assert {each.path: (each.shape, each.element.zarr) for each in tree.datasets} == {
        "/big": ((1_000_001, 1), "uint8"),
        "/fixed": ((1, 2, 2), "uint8"),
        "/good": ((2,), "string"),
        "/ragged/offsets": ((4,), "int64"),
        "/ragged/values": ((1,), "uint8"),
        "/scalar": ((1,), "uint8"),
    }


def test_text_that_hdf5_itself_cannot_read_is_named(walked):
    def write(file):
        for name, written in (("some", 1), ("all", 2), ("none", 0)):
            made = file.create_dataset(name, (2,), h5py.string_dtype(), chunks=(1,), fillvalue="å")
            made[:written] = ["x"] * written

    tree = walked(write)
    assert paths(tree.datasets) == ["/all", "/none"]
    (problem,) = tree.problems
    assert problem.path == "/some"
    assert "HDF5 can't read it" in problem.reason
    assert "fill value" in problem.reason
