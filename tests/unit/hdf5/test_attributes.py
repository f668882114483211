"""An attribute's JSON and its type record are enough to make the attribute again."""

from __future__ import annotations

import json
from typing import Any

import h5py
import numpy as np
import pytest

from hsc.hdf5 import open_hdf5, walk
from hsc.model import canonical_json

TYPES = "hsc:attribute_types"
COLOURS = h5py.enum_dtype({"red": 1, "green": -2}, "i2")
ASCII, UTF8 = h5py.string_dtype("ascii"), h5py.string_dtype("utf-8")

NUMBERS = {
    "int": 5,
    "float": 1.5,
    "nan": np.nan,
    "nan_payload": np.uint64(0x7FF8DEADBEEF0001).view("f8"),
    "inf": -np.inf,
    "negative_zero": -0.0,
    "big": np.uint64(2**64 - 1),
    "small": np.int64(-(2**63)),
    "exact": np.int64(2**53),
    "inexact": np.int64(2**53 + 1),
    "u1": np.uint8(200),
    "f2": np.float16(0.1),
    "f4": np.float32(0.1),
    "f4_subnormal": np.float32(1e-45),
    "big_endian": np.array([1, 2], ">i4"),
    "big_endian_nan": np.array([np.nan, 1], ">f4"),
    "c8": np.complex64(1 + 2j),
    "c16": np.array([[1, np.nan]], "c16"),
    "true": np.True_,
    "flags": np.array([True, False]),
    "array": np.arange(12.0).reshape(3, 4),
    "array_nan": np.array([1.0, np.nan, np.inf]),
    "none_of_them": np.zeros((0,), "i4"),
    "none_in_rows": np.zeros((3, 0), "u8"),
    "no_rows": np.zeros((0, 3), "f4"),
    "one": np.array([7], "u2"),
}


def make_again(file: h5py.File, name: str, value: Any, record: dict[str, Any] | None) -> None:
    """Make an attribute from what the walk says of it; the reverse of hsc's reading."""
    record = record or {"string": {"charset": "utf-8"}}
    if "string" in record:
        return make_text(file, name, value, record)
    dtype = np.dtype(record["dtype"])
    if "enum" in record:
        dtype = h5py.enum_dtype(record["enum"], dtype)
    if value == {"$null": True}:
        file.attrs.create(name, h5py.Empty(dtype))
        return None
    shape = tuple(record.get("shape", ()))
    if isinstance(value, dict):
        array = np.frombuffer(bytes.fromhex(value["$hex"]), value["$t"]).reshape(shape)
    else:
        array = np.array(value, dtype).reshape(shape)
    file.attrs.create(name, array.astype(dtype), shape=shape, dtype=dtype)
    return None


def make_text(file: h5py.File, name: str, value: Any, record: dict[str, Any]) -> None:
    facts = record["string"]
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(facts.get("length", h5py.h5t.VARIABLE))
    kind.set_cset(h5py.h5t.CSET_UTF8 if facts["charset"] == "utf-8" else h5py.h5t.CSET_ASCII)
    if "padding" in facts:
        kind.set_strpad(
            {"null-terminated": 0, "null-padded": 1, "space-padded": 2}[facts["padding"]]
        )
    if value == {"$null": True}:
        h5py.h5a.create(file.id, name.encode(), kind, h5py.h5s.create(h5py.h5s.NULL))
        return
    shape = tuple(record.get("shape", ()))
    space = h5py.h5s.create_simple(shape) if "shape" in record else h5py.h5s.create(h5py.h5s.SCALAR)
    made = h5py.h5a.create(file.id, name.encode(), kind, space)
    raw = value["$hex"] if isinstance(value, dict) else value
    texts = np.array(raw, object).ravel()
    data = [bytes.fromhex(t) if isinstance(value, dict) else t.encode() for t in texts]
    if "length" in facts:
        made.write(np.array(data, f"S{facts['length']}").reshape(shape), mtype=null_padded(kind))
    else:
        strings = h5py.string_dtype(facts["charset"])
        array = np.empty(len(data), strings)
        array[:] = data
        made.write(array.reshape(shape))


def null_padded(kind: Any) -> Any:
    """Give the type that NumPy's fixed strings have in memory; HDF5 converts the padding."""
    memory = kind.copy()
    memory.set_strpad(h5py.h5t.STR_NULLPAD)
    return memory


def type_facts(kind: Any) -> tuple:
    facts: tuple = (type(kind).__name__, kind.get_size())
    if isinstance(kind, h5py.h5t.TypeStringID):
        return (*facts, kind.is_variable_str(), kind.get_cset(), kind.get_strpad())
    if isinstance(kind, h5py.h5t.TypeEnumID):
        members = [
            (kind.get_member_name(i), kind.get_member_value(i)) for i in range(kind.get_nmembers())
        ]
        return (*facts, tuple(sorted(members)))
    return (*facts, kind.dtype.str)


def facts(node: Any, name: str) -> tuple:
    """Give all that HDF5 knows of an attribute: type, shape and bits."""
    attribute = node.attrs.get_id(name)
    kind = attribute.get_type()
    value = node.attrs[name]
    if isinstance(value, h5py.Empty):
        return ("null", type_facts(kind))
    array = np.asarray(value)
    bits = array.tobytes() if array.dtype != object else repr(array.tolist())
    return (attribute.shape, type_facts(kind), bits)


@pytest.fixture
def walk_file(tmp_path):
    """Write a file and walk it."""

    def run(write, **options):
        with h5py.File(tmp_path / "a.h5", "w", **options) as file:
            write(file)
        with open_hdf5(tmp_path / "a.h5") as file:
            return walk(file)

    return run


@pytest.fixture
def round_trip(tmp_path):
    """Write attributes, walk them, make them again in another file; give both facts by name."""

    def run(write):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            write(file)
        with open_hdf5(tmp_path / "a.h5") as file, h5py.File(tmp_path / "b.h5", "w") as again:
            tree = walk(file)
            assert not tree.problems
            attributes = json.loads(canonical_json(tree.groups[0].attributes))
            types = attributes.pop(TYPES, {})
            for name, value in attributes.items():
                make_again(again, name, value, types.get(name) or natural(value))
            names = list(file.attrs)
            assert sorted(attributes) == sorted(names)
            return (
                {name: facts(file, name) for name in names},
                {name: facts(again, name) for name in names},
            )

    return run


def natural(value: Any) -> dict[str, Any] | None:
    """Give the type of a value that needs no note, as docs/reference/zarr-mapping.md says."""
    if isinstance(value, str):
        return None
    return {"dtype": "<i8" if isinstance(value, int) else "<f8"}


def test_numbers_of_every_kind_can_be_made_again(round_trip):
    def write(file):
        for name, value in NUMBERS.items():
            file.attrs[name] = value

    before, after = round_trip(write)
    assert after == before


def test_enumerations_and_nulls_can_be_made_again(round_trip):
    def write(file):
        file.attrs.create("colour", 1, dtype=COLOURS)
        file.attrs.create("colours", [1, -2, 1], dtype=COLOURS)
        file.attrs["null"] = h5py.Empty("f4")
        file.attrs["null_text"] = h5py.Empty("S3")
        file.attrs.create("null_vlen", h5py.Empty(UTF8))

    before, after = round_trip(write)
    assert after == before


def test_text_of_every_kind_can_be_made_again(round_trip):
    def write(file):
        file.attrs["plain"] = "å µ"
        file.attrs["empty"] = ""
        file.attrs.create("ascii", "abc", dtype=ASCII)
        file.attrs["fixed"] = np.bytes_(b"ab")
        file.attrs.create("fixed_utf8", "å".encode(), dtype=h5py.string_dtype("utf-8", 7))
        file.attrs.create("array", ["a", "åå", ""], dtype=UTF8)
        file.attrs["fixed_array"] = np.array([[b"a", b"bcd"]])
        file.attrs["no_texts"] = np.array([], "S3")
        file.attrs.create("rows", np.array([["a"], ["b"]], object), dtype=ASCII)
        for name, padding in (("terminated", 0), ("padded", 1), ("spaces", 2)):
            kind = h5py.h5t.C_S1.copy()
            kind.set_size(6)
            kind.set_strpad(padding)
            made = h5py.h5a.create(file.id, name.encode(), kind, h5py.h5s.create(h5py.h5s.SCALAR))
            made.write(np.array(b"abc", "S6"))

    before, after = round_trip(write)
    assert after == before


def test_text_that_is_no_utf8_can_be_made_again(round_trip):
    def write(file):
        file.attrs["latin1"] = np.bytes_(b"\xe9t\xe9")
        file.attrs["latin1_array"] = np.array([b"ok", b"\xff\xfe"])
        file.attrs.create("vlen", b"\xe9", dtype=UTF8)
        file.attrs.create("vlens", np.array([b"\xe9", b"a"], object), dtype=UTF8)

    before, after = round_trip(write)
    assert after == before


def test_an_attribute_that_bears_a_name_of_ours_stands_under_another(walk_file):
    def write(file):
        file.attrs["hsc:name"] = "x"
        file.attrs["%68sc:name"] = "y"

    attributes = walk_file(write).groups[0].attributes
    assert (attributes["%68sc:name"], attributes["%68sc:name%"]) == ("y", "x")
    assert attributes[TYPES] == {"%68sc:name%": {"name_hex": b"hsc:name".hex()}}


def test_references_in_attributes_are_paths(walk_file):
    def write(file):
        scale = file.create_dataset("z/scale", data=np.arange(3.0))
        scale.make_scale("x")
        data = file.create_dataset("a", data=np.zeros((3, 2)))
        data.dims[0].attach_scale(scale)
        file.attrs["one"] = scale.ref
        file.attrs["null"] = h5py.Reference()
        file.attrs["region"] = scale.regionref[1:3]

    tree = walk_file(write)
    assert not tree.problems
    own = tree.groups[0].attributes
    assert (own["one"], own["null"]) == ("/z/scale", "")
    assert json.loads(own["region"]) == {
        "path": "/z/scale", "start": [1], "stride": [1], "count": [1], "block": [2],
    }  # fmt: skip
    data, scale = tree.datasets
    assert data.attributes["DIMENSION_LIST"] == {
        "$columns": {"offsets": [0, 1, 1], "values": ["/z/scale"]}
    }
    assert scale.attributes["REFERENCE_LIST"] == {"$columns": {"dataset": ["/a"], "dimension": [0]}}


def test_compound_and_ragged_attributes_are_columns(walk_file):
    def write(file):
        kind = np.dtype([("a", ">i4"), ("b", [("c", "f8", (2,)), ("d", "S3")])])
        value = np.array([(1, ([np.nan, 2], b"xy")), (3, ([4, 5], b"\xff"))], kind)
        file.attrs["compound"] = value
        ragged = np.empty(2, object)
        ragged[:] = [np.arange(2, dtype="i4"), np.zeros(0, "i4")]
        file.attrs.create("ragged", ragged, dtype=h5py.vlen_dtype("i4"))
        file.attrs["opaque"] = np.void(b"\0\1")

    attributes = walk_file(write).groups[0].attributes
    columns = attributes["compound"]["$columns"]
    assert columns["a"] == [1, 3]
    assert columns["b/c"]["$t"] == "<f8"
    again = np.frombuffer(bytes.fromhex(columns["b/c"]["$hex"]), "<f8")
    assert again.tobytes() == np.array([np.nan, 2, 4, 5.0]).tobytes()
    assert columns["b/d"] == [[120, 121, 0], [255, 0, 0]]
    assert attributes["ragged"] == {"$columns": {"offsets": [0, 2, 2], "values": [0, 1]}}
    assert attributes["opaque"] == [0, 1]
    types = attributes[TYPES]
    for name in ("compound", "ragged", "opaque"):
        made = h5py.h5t.decode(bytes.fromhex(types[name]["encoded"]))
        assert made.get_size() == types[name]["type"]["bytes"]


def test_an_attribute_beyond_64_kib_is_an_array_of_its_own(walk_file):
    def write(file):
        large = file.create_group("g", track_order=True)
        space = h5py.h5s.create_simple((9000,))
        made = h5py.h5a.create(large.id, b"large", h5py.h5t.STD_I64LE, space)
        made.write(np.arange(9000) * 10**9)
        file[".hsc"] = 1

    tree = walk_file(write, libver="latest")
    assert not tree.problems
    group = next(each for each in tree.groups if each.path == "/g")
    assert group.attributes["large"] == {"$array": "/.hsc_/attributes/0"}
    leaf = next(each for each in tree.datasets if each.path == "/.hsc_/attributes/0")
    assert (leaf.shape, leaf.object_path, leaf.part.attribute) == ((9000,), "/g", "large")
