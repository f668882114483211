"""Every construct of HDF5 comes through: held against the file by a reader that knows no hsc."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from h5py import h5s, h5t
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from independent.comparing import compare_file

from hsc.hdf5 import open_hdf5, read_part, walk

PLAIN = ["i1", "<u2", ">i4", "u8", "f2", ">f4", "f8", "c8", ">c16", "?", "S3", "V5"]


def copied(kind, **facts):
    made = kind.copy()
    for name, value in facts.items():
        getattr(made, f"set_{name}")(*value if isinstance(value, tuple) else (value,))
    return made


def tagged():
    made = h5t.create(h5t.OPAQUE, 7)
    made.set_tag(b"seven bytes")
    return made


def bfloat16():
    return copied(h5t.IEEE_F32LE, fields=(15, 7, 8, 0, 7), size=2, ebias=127)


def enum(base, members):
    made = h5t.enum_create(base)
    for name, value in members.items():
        made.enum_insert(name, value)
    return made


def compound(size, *members):
    made = h5t.create(h5t.COMPOUND, size)
    for name, offset, kind in members:
        made.insert(name, offset, kind)
    return made


def text(length, padding, charset=h5t.CSET_ASCII):
    return copied(h5t.C_S1, size=length, strpad=padding, cset=charset)


ODD = {
    "int24": copied(h5t.STD_I32LE, precision=24),
    "uint12_shifted": copied(h5t.STD_U16BE, precision=12, offset=3),
    "three_bytes": copied(h5t.STD_I32LE, precision=24, size=3),
    "bitfield": h5t.STD_B16BE,
    "opaque": tagged(),
    "time": h5t.UNIX_D64BE,
    "bfloat16": bfloat16(),
    "x87": h5t.NATIVE_LDOUBLE,
    "enum": enum(h5t.STD_I16BE, {b"red": -1, b"green": 300}),
    "enum_of_no_utf8": enum(h5t.STD_U8LE, {b"\xff": 1, b"b": 2}),
    "null_terminated": text(5, h5t.STR_NULLTERM),
    "space_padded": text(5, h5t.STR_SPACEPAD, h5t.CSET_UTF8),
    "real_and_imag": compound(8, (b"real", 0, h5t.IEEE_F32BE), (b"imag", 4, h5t.IEEE_F32BE)),
    "half_complex": compound(4, (b"r", 0, h5t.IEEE_F16LE), (b"i", 2, h5t.IEEE_F16LE)),
    "array": h5t.array_create(h5t.STD_I32BE, (2, 3)),
    "array_of_opaque": h5t.array_create(tagged(), (2,)),
    "padded": compound(
        40,
        (b"x/y", 3, h5t.STD_I64BE),
        (b"..", 11, tagged()),
        (b"\xff", 20, h5t.array_create(bfloat16(), (3,))),
        (b"in", 28, compound(8, (b"%", 1, h5t.STD_B8LE), (b"s", 4, text(3, h5t.STR_NULLPAD)))),
    ),
}  # fmt: skip


def write_raw(group, name: str, kind, rng: np.random.Generator, shape=(5, 3), **options) -> None:
    """Write random bytes as elements of a type; nothing is converted."""
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if "chunks" in options:
        created.set_chunk(options["chunks"])
    made = h5py.h5d.create(group.id, name.encode(), kind, h5s.create_simple(shape), created)
    count = int(np.prod(shape))
    raw = np.frombuffer(rng.bytes(count * kind.get_size()), f"V{kind.get_size()}").reshape(shape)
    made.write(h5s.ALL, h5s.ALL, np.array(raw), mtype=kind)


def equal(path: Path, done, arrays: int) -> None:
    found = compare_file(path, done.folder, {})
    assert found.wrong == []
    assert found.arrays == arrays


@pytest.mark.parametrize("name", ODD)
def test_bytes_of_any_type_come_through(tmp_path, ingest, name):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        rng = np.random.default_rng(1)
        write_raw(file, "whole", ODD[name], rng)
        write_raw(file, "chunked", ODD[name], rng, chunks=(2, 2))
        scalar = h5py.h5d.create(file.id, b"scalar", ODD[name], h5s.create(h5s.SCALAR))
        scalar.write(h5s.ALL, h5s.ALL, np.zeros((), f"V{ODD[name].get_size()}"), mtype=ODD[name])
        h5py.h5d.create(file.id, b"null", ODD[name], h5s.create(h5s.NULL))
        h5py.h5d.create(file.id, b"none", ODD[name], h5s.create_simple((0, 4)))
        made = h5py.h5a.create(file.id, b"a", ODD[name], h5s.create_simple((3,)))
        raw = rng.bytes(3 * ODD[name].get_size())
        made.write(np.frombuffer(raw, f"V{ODD[name].get_size()}").copy(), mtype=ODD[name])
        h5py.h5a.create(file.id, b"null", ODD[name], h5s.create(h5s.NULL))
    equal(tmp_path / "a.h5", ingest(tmp_path / "a.h5"), 5)


@st.composite
def types(draw, depth: int = 2):
    """Draw a NumPy type that h5py can write, of any of HDF5's classes."""
    kinds = ["plain"] * 3 + (["compound", "array", "vlen"] if depth else [])
    kind = draw(st.sampled_from([*kinds, "text", "enum"]))
    if kind == "plain":
        return np.dtype(draw(st.sampled_from(PLAIN)))
    if kind == "text":
        return h5py.string_dtype()
    if kind == "enum":
        return h5py.enum_dtype({"a": 1, "b": -2}, draw(st.sampled_from(["<i2", ">i4"])))
    if kind == "vlen":  # of more h5py itself dies while it writes
        plain = np.dtype(draw(st.sampled_from(PLAIN)))
        pair = np.dtype([("x", plain), ("y", ">i2", (2,))])
        return h5py.vlen_dtype(draw(st.sampled_from([plain, pair])))
    inner = draw(types(depth - 1))
    if kind == "array" and inner.subdtype is not None:
        return inner
    if kind == "array":
        return np.dtype((inner, draw(st.sampled_from([(2,), (2, 1)]))))
    names = draw(st.lists(st.sampled_from(["a", "b", "A", "å", "a b"]), min_size=1, unique=True))
    return np.dtype([(name, draw(types(depth - 1))) for name in names])


def random_array(rng: np.random.Generator, dtype: np.dtype, count: int) -> np.ndarray:
    """Give elements of a type, numbers from random bytes: NaN of every payload, -0.0."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        inner = random_array(rng, base, count * int(np.prod(shape)))
        return inner.reshape((count, *shape, *inner.shape[1:]))
    if dtype.fields:
        made = np.empty(count, dtype)
        for name in dtype.names:
            made[name] = random_array(rng, dtype[name], count)
        return made
    made = np.empty(count, object)
    inner = h5py.check_vlen_dtype(dtype)
    if inner not in (None, str):
        for number in range(count):
            made[number] = random_array(rng, inner, int(rng.integers(0, 4)))
        return made
    if dtype.kind == "O":
        made[:] = [["", "x", "åß", "long text " * 3][n] for n in rng.integers(0, 4, count)]
        return made
    if dtype.kind == "b":
        return rng.random(count) < 0.5
    return np.frombuffer(rng.bytes(count * dtype.itemsize), dtype)


@st.composite
def written(draw):
    return {
        "dtype": draw(types()),
        "shape": draw(st.sampled_from([(), (1,), (7,), (3, 4), (0, 2)])),
        "chunked": draw(st.booleans()),
        "rows": draw(st.sampled_from([0, 1, None])),
        "seed": draw(st.integers(0, 99)),
    }


def write_drawn(file: h5py.File, facts: dict) -> bool:
    """Write a dataset and an attribute; tell whether h5py could."""
    dtype, shape = facts["dtype"], facts["shape"]
    rng = np.random.default_rng(facts["seed"])
    count = int(np.prod(shape))
    values = random_array(rng, dtype, count)
    values = values.reshape((*shape, *values.shape[1:]))
    options = {"chunks": tuple(max(1, n - 1) for n in shape)} if shape and facts["chunked"] else {}
    try:
        made = file.create_dataset("d", shape, dtype, **options)
        # At h5py's lower level: above it a scalar of variable length is taken apart.
        kind = h5t.py_create(dtype)
        if count and (facts["rows"] is None or not shape):
            made.id.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(values), mtype=kind)
        elif count and facts["rows"]:
            space = made.id.get_space()
            space.select_hyperslab((0,) * len(shape), (1, *shape[1:]))
            first = np.ascontiguousarray(values[:1])
            made.id.write(h5s.create_simple((1, *shape[1:])), space, first, mtype=kind)
        space = h5s.create_simple(shape) if shape else h5s.create(h5s.SCALAR)
        attribute = h5py.h5a.create(file.id, b"a", h5t.py_create(dtype, logical=True), space)
        if count:
            attribute.write(np.ascontiguousarray(values), mtype=kind)
    except (TypeError, ValueError, OSError, AttributeError):
        return False
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written())
def test_random_types_come_through(tmp_path_factory, ingest, facts):
    path = tmp_path_factory.mktemp("drawn") / "a.h5"
    with h5py.File(path, "w") as file:
        if not write_drawn(file, facts):
            return
    equal(path, ingest(path), 1)


def test_a_field_of_fill_values_comes_through_where_nothing_was_written(tmp_path, ingest):
    kind = np.dtype([("a", ">f4"), ("b", "i2", (2,)), ("c", "S3"), ("d", "V2")])
    even = np.array((np.nan, [7, 7], b"xy", b"\1\1"), kind)
    odd = np.array((2, [7, 8], b"", b"\1\2"), kind)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, fill in (("even", even), ("odd", odd)):
            made = file.create_dataset(name, (6, 4), kind, chunks=(2, 4), fillvalue=fill)
            made[2:4] = np.zeros((2, 4), kind)
    done = ingest(tmp_path / "a.h5")
    equal(tmp_path / "a.h5", done, 2)
    stored = {planned.spec.path: len(planned.places) for planned in done.plan.arrays}
    # One value cannot stand for two: there HDF5 itself was asked for what was not written.
    assert (stored["/even/b"], stored["/odd/a"]) == (1, 1)


def test_regions_of_ragged_data_are_what_the_whole_is(tmp_path):
    rng = np.random.default_rng(3)
    inner = np.dtype([("x", "i4"), ("y", "f4", (2,))])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", (300, 2), h5py.vlen_dtype(inner), chunks=(7, 2))
        rows = np.empty((300, 2), object)
        for place in np.ndindex(rows.shape):
            rows[place] = random_array(rng, inner, int(rng.integers(0, 6)))
        made[...] = rows
    flat = np.concatenate([each for each in rows.ravel() if len(each)])
    ends = np.concatenate([[0], np.cumsum([len(each) for each in rows.ravel()])])
    expected = {"/d/offsets": ends, "/d/values/x": flat["x"], "/d/values/y": flat["y"]}
    with open_hdf5(tmp_path / "a.h5") as file:
        leaves = {leaf.path: leaf for leaf in walk(file).datasets}
        assert leaves.keys() == expected.keys()
        assert max(len(leaf.part.table.rows) for leaf in leaves.values()) > 4
        for path, whole in expected.items():
            shape = leaves[path].shape
            assert shape == whole.shape
            cuts = sorted({0, shape[0], *rng.integers(0, shape[0], 40).tolist()})
            for start in cuts:
                for stop in (n for n in cuts if n > start):
                    rest = shape[1:]
                    region = read_part(
                        file["d"].id, leaves[path].part, (start, *[0] * len(rest)), (stop, *rest)
                    )
                    assert region.tobytes() == whole[start:stop].astype(region.dtype).tobytes()


def test_large_compounds_are_cut_into_chunks_that_are_read_one_by_one(tmp_path, ingest):
    kind = np.dtype([("a", ">i8"), ("b", "f4", (16,)), ("s", "S20")])
    rng = np.random.default_rng(4)
    rows = np.zeros(300_000, kind)
    rows["a"] = rng.integers(0, 2**62, len(rows))
    rows["b"] = rng.random((len(rows), 16))
    rows["s"] = rng.integers(0, 9, len(rows)).astype("S20")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", data=rows, chunks=(1000,))
    done = ingest(tmp_path / "a.h5")
    assert max(len(planned.places) for planned in done.plan.arrays) > 3
    equal(tmp_path / "a.h5", done, 1)


def test_references_lead_to_where_their_objects_stand(tmp_path, ingest):
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=1024) as file:
        file["z/data"] = np.arange(24).reshape(4, 6)
        file["again"] = file["z/data"]
        file.attrs["null"] = h5py.Empty(h5py.ref_dtype)
        gone = file.create_group("gone").ref
        del file["gone"]
        kind = np.dtype([("o", h5py.ref_dtype), ("r", h5py.regionref_dtype)])
        data = file["z/data"]
        made = file.create_dataset("d", (3,), kind)
        whole = np.empty(3, kind)
        whole["o"] = [data.ref, file["z"].ref, h5py.Reference()]
        whole["r"] = [data.regionref[1:3, ::2], data.regionref[[0, 3], 1], h5py.RegionReference()]
        made[...] = whole
        file.create_dataset("dangling", data=[gone], dtype=h5py.ref_dtype)
        ragged = file.create_dataset("ragged", (2,), h5py.vlen_dtype(h5py.ref_dtype))
        ragged[0] = np.array([data.ref, file.ref], h5py.ref_dtype)
    done = ingest(tmp_path / "a.h5", policy="quarantine")
    assert [gap.path for gap in done.manifest.gaps] == []
    equal(tmp_path / "a.h5", done, 4)


def test_an_object_that_only_a_reference_leads_to_is_named(tmp_path, plan):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        # Two names that can't be told apart: none of both has a path in the tree.
        for name in (b"s\xfe", b"s\\xfe"):
            made = h5py.h5d.create(file.id, name, h5t.STD_I8LE, h5s.create(h5s.SCALAR))
        file.create_dataset("d", data=[h5py.Dataset(made).ref], dtype=h5py.ref_dtype)
        file.attrs["a"] = h5py.Dataset(made).ref
    problems = {gap.path: gap.reason for gap in plan(tmp_path / "a.h5", "quarantine").gaps}
    reason = "references lead to 1 objects that have no path"
    assert (problems["/d"], problems["/@a"]) == (reason, reason)


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8", "<c8", ">c16"])
def test_a_nan_of_its_own_bits_is_what_was_never_written(tmp_path, ingest, dtype):
    size = np.dtype(dtype).itemsize // (2 if "c" in dtype else 1)
    bits = {2: 0xFE01, 4: 0xFFC0_0123, 8: 0x7FF8_DEAD_BEEF_0001}[size]
    part = np.frombuffer(bits.to_bytes(size, "little"), f"<f{size}")
    fill = np.repeat(part, np.dtype(dtype).itemsize // size).view(dtype.replace(">", "<"))[0]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", (10,), dtype, chunks=(4,), fillvalue=fill)
        made[4:8] = np.arange(4).astype(dtype)
    done = ingest(tmp_path / "a.h5")
    assert done.plan.arrays[0].spec.attributes["hsc:hdf5"]["fill"] == "user"
    equal(tmp_path / "a.h5", done, 1)
