"""Any file that is taken in is found again, with stock zarr, bit for bit."""

from __future__ import annotations

import h5py
import hdf5plugin
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.errors import UnsupportedObjectError

NUMBERS = ["i1", "u2", ">u2", "<i4", ">i8", "u8", "f2", ">f4", "f8", "c8", ">c16", "?"]
TEXTS = ["vlen", "ascii", "S5", "utf8-7"]
FILTERS = [
    {},
    {"compression": "gzip"},
    {"compression": "gzip", "shuffle": True},
    {"compression": "lzf"},
    {"fletcher32": True},
    dict(hdf5plugin.Bitshuffle(cname="lz4")),
    dict(hdf5plugin.Bitshuffle(nelems=64, cname="lz4")),
    dict(hdf5plugin.Bitshuffle(cname="none")),
    {**hdf5plugin.Bitshuffle(cname="lz4"), "fletcher32": True},
]
NAMES = st.sampled_from(["a", "A", "data", "zarr.json", "..x", "å", "a.b", "c", "0CH0:xtdf", "x y"])


def text_dtype(kind: str):
    if kind == "vlen":
        return h5py.string_dtype()
    if kind == "ascii":
        return h5py.string_dtype("ascii")
    return np.dtype(kind) if kind == "S5" else h5py.string_dtype("utf-8", 7)


def values(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    count = int(np.prod(shape))
    if kind in TEXTS:
        words = ["", "abc", "x y"] + (["åä"] if kind in ("vlen", "utf8-7") else [])
        chosen = [words[n] for n in rng.integers(0, len(words), count)]
        if kind in ("vlen", "ascii"):
            return np.array(chosen, object).reshape(shape)
        return np.array([w.encode() for w in chosen], text_dtype(kind)).reshape(shape)
    if kind == "?":
        return rng.random(shape) < 0.5
    if np.dtype(kind).kind in "fc":  # from bytes: NaN of every payload, -0.0, subnormal
        return np.frombuffer(rng.bytes(count * np.dtype(kind).itemsize), kind).reshape(shape)
    return rng.integers(0, 100, shape).astype(kind)


@st.composite
def datasets(draw):
    kind = draw(st.sampled_from(NUMBERS + TEXTS))
    ndim = draw(st.integers(0, 3))
    shape = tuple(draw(st.integers(0 if draw(st.booleans()) else 1, 9)) for _ in range(ndim))
    storage = draw(st.sampled_from(["contiguous", "chunked", "sparse", "compact", "untouched"]))
    chunks = tuple(draw(st.integers(1, max(1, n))) for n in shape)
    return {
        "kind": kind,
        "shape": shape,
        "storage": storage if shape else "contiguous",
        "chunks": chunks,
        "filters": draw(st.sampled_from(FILTERS)),
        "seed": draw(st.integers(0, 99)),
        "fill": draw(st.booleans()),
    }


def write_dataset(group: h5py.Group, name: str, facts: dict) -> None:
    rng = np.random.default_rng(facts["seed"])
    kind, shape, storage = facts["kind"], facts["shape"], facts["storage"]
    data = values(rng, kind, shape)
    dtype = text_dtype(kind) if kind in TEXTS else np.dtype(kind)
    options: dict = {}
    if storage in ("chunked", "sparse") or (storage == "untouched" and facts["seed"] % 2):
        options |= {"chunks": facts["chunks"], "maxshape": (None,) * len(shape)}
        # HDF5 does not take these filters on text of variable length.
        if kind not in ("vlen", "ascii") and all(shape):
            options |= facts["filters"]
    # HDF5 cannot read such a fill value of variable length beside written chunks; see below.
    if facts["fill"] and shape and not (storage == "sparse" and kind in ("vlen", "ascii")):
        options["fillvalue"] = "fil" if kind in TEXTS else values(rng, kind, (1,))[0]
    if storage == "compact" and kind not in ("vlen", "ascii"):
        created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        created.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(shape)
        h5py.h5d.create(
            group.id, name.encode(), h5py.h5t.py_create(dtype, logical=True), space, created
        )
        group[name][...] = data
        return
    made = group.create_dataset(name, shape, dtype, **options)
    if storage == "sparse":
        for start in range(0, shape[0], 3):
            if rng.random() < 0.5:
                made[start : start + 1] = data[start : start + 1]
    elif storage != "untouched" and made.size:
        made[...] = data


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
)
@given(
    tree=st.dictionaries(st.tuples(NAMES, NAMES), datasets(), max_size=5),
    attributes=st.lists(st.sampled_from(NUMBERS), max_size=3),
)
def test_random_trees_come_through(tmp_path_factory, ingest, compare, tree, attributes):
    path = tmp_path_factory.mktemp("source") / "a.h5"
    with h5py.File(path, "w") as file:
        for (folder, name), facts in tree.items():
            write_dataset(file.require_group(folder), name, facts)
        for number, kind in enumerate(attributes):
            file.attrs[f"a{number}"] = values(np.random.default_rng(number), kind, (number,))
        if tree:
            file["soft"] = h5py.SoftLink("/nowhere")
            folder, name = next(iter(tree))
            file["~again"] = file[folder][name]
    assert compare(path, ingest(path).tree) == len(tree)


def test_sparse_stays_sparse(tmp_path, ingest, compare):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        # 1 TB of frames of which three were written.
        made = file.create_dataset(
            "frames", (250_000, 1000, 1000), "f4", chunks=(1, 1000, 1000),
            **hdf5plugin.Bitshuffle(cname="lz4"), fillvalue=-1.0,
        )  # fmt: skip
        for row in (0, 5, 200_000):
            made[row] = row
        file.create_dataset("never", (1000, 1000), "f8", chunks=(100, 100), compression="gzip")
        file.create_dataset("untouched", (10**9,), "f8")
    done = ingest(tmp_path / "a.h5")
    states = [entry.chunks.states for entry in done.manifest.entries if len(entry.chunks)]
    assert sum(int(column.sum()) for column in states) == 3
    assert len(done.objects("frames")) == 2
    assert done.objects("never") == []
    assert done.objects("untouched") == []
    assert done.manifest.nbytes < 1e6


def test_text_that_hdf5_itself_cannot_read_is_an_error(tmp_path, ingest):
    # A fill value of variable length: HDF5 wants to write to the file to give it out.
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", (2,), h5py.string_dtype(), chunks=(1,), fillvalue="fill")
        made[1] = "abc"
    with h5py.File(tmp_path / "a.h5") as file, pytest.raises(OSError, match="no write intent"):
        file["d"][...]
    with pytest.raises(UnsupportedObjectError, match="/d: "):
        ingest(tmp_path / "a.h5")


def test_names_that_are_no_utf8_come_through(tmp_path, ingest, compare):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        space = h5py.h5s.create_simple((3,))
        made = h5py.h5d.create(file.id, b"n\xe9", h5py.h5t.NATIVE_INT32, space)
        h5py.Dataset(made)[...] = [1, 2, 3]
        h5py.h5g.create(file.id, b"g\xff")
    done = ingest(tmp_path / "a.h5")
    assert compare(tmp_path / "a.h5", done.tree) == 1
    assert [planned.spec.path for planned in done.plan.arrays] == ["/n\\xe9"]


def unreadable(group: h5py.Group, name: bytes) -> None:
    """Write what h5py itself can't read."""
    times = h5py.h5t.vlen_create(h5py.h5t.UNIX_D32LE)
    h5py.h5d.create(group.id, name, times, h5py.h5s.create_simple((2,)))


def test_problems_under_names_that_are_no_utf8_become_gaps(tmp_path, plan):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        unreadable(h5py.Group(h5py.h5g.create(file.id, b"g\xff")), b"times")
    with pytest.raises(UnsupportedObjectError) as caught:
        plan(tmp_path / "a.h5")
    assert str(caught.value).encode()  # can be printed
    assert [gap.path for gap in plan(tmp_path / "a.h5", "quarantine").gaps] == ["/g\\xff/times"]


def test_what_cannot_be_carried_is_refused_or_becomes_a_gap(tmp_path, plan, ingest, compare):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        unreadable(file, b"times")
        file["x"] = np.arange(3)
    reason = "variable-length elements that h5py can't read: No NumPy equivalent for TypeTimeID"
    with pytest.raises(UnsupportedObjectError, match=f"/times: {reason}"):
        plan(tmp_path / "a.h5")
    done = ingest(tmp_path / "a.h5", policy="quarantine")
    assert [(gap.path, gap.reason) for gap in done.manifest.gaps] == [
        ("/times", f"{reason} exists")
    ]


def test_frames_behind_a_user_block_come_through(tmp_path, ingest, compare):
    frames = np.random.default_rng(0).integers(0, 9, (4, 32, 32)).astype("u2")
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=4096) as file:
        file.create_dataset(
            "d", data=frames, chunks=(1, 32, 32), **hdf5plugin.Bitshuffle(cname="lz4")
        )
        file["contiguous"] = frames
    with (tmp_path / "a.h5").open("r+b") as raw:
        raw.write(b"what the beamline wrote before the file")
    done = ingest(tmp_path / "a.h5")
    assert {planned.spec.way for planned in done.plan.arrays} == {"rewrap", "passthrough"}
    assert compare(tmp_path / "a.h5", done.tree) == 2
    block = (done.folder / "files" / "a.h5.userblock").read_bytes()
    assert block == (tmp_path / "a.h5").read_bytes()[:4096]


def test_a_chunk_that_skipped_its_filter_comes_through(tmp_path, ingest, compare):
    frames = np.random.default_rng(0).integers(0, 9, (3, 16, 16)).astype("u2")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset(
            "d", data=frames, chunks=(1, 16, 16), **hdf5plugin.Bitshuffle(cname="lz4")
        )
        made.id.write_direct_chunk((1, 0, 0), frames[2].tobytes(), filter_mask=1)
    assert compare(tmp_path / "a.h5", ingest(tmp_path / "a.h5").tree) == 1


def test_two_paths_that_differ_by_a_dot_have_dimensions_of_their_own(tmp_path, plan):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/b"] = np.arange(3)
        file["a.b"] = np.arange(4)
    names = [planned.spec.dimension_names for planned in plan(tmp_path / "a.h5").arrays]
    assert len(set(names)) == 2


def test_names_and_link_targets_that_are_no_utf8_keep_their_bytes(tmp_path, ingest):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        h5py.h5g.create(file.id, b"g\xff")
        file.id.links.create_soft(b"s\xfe", b"/g\xff")
        file["plain"] = h5py.SoftLink("/gr\u00fcn")
    root = zarr.open_group(ingest(tmp_path / "a.h5").tree, mode="r")
    (group,) = (node for _, node in root.groups())
    assert group.attrs["hsc:name"] == "g\\xff"
    assert group.attrs["hsc:name_hex"] == b"g\xff".hex()
    assert root.attrs["hsc:links"] == {
        "s\\xfe": {"soft": "/g\\xff", "soft_hex": b"/g\xff".hex(), "name_hex": b"s\xfe".hex()},
        "plain": {"soft": "/gr\u00fcn"},
    }


def test_a_fill_value_that_is_a_nan_of_its_own_keeps_its_bits(tmp_path, ingest, compare):
    strange = np.array([0x7FA0_0001, 0xFFC1_2345], "<u4").view("<f4")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, fill in (("single", strange[0]), ("pair", strange.view("<c8")[0])):
            made = file.create_dataset(name, (4,), fill.dtype, chunks=(2,), fillvalue=fill)
            made[0] = 1
        file.create_dataset("plain", (4,), "f4", chunks=(2,), fillvalue=np.nan)[0] = 1
    done = ingest(tmp_path / "a.h5")
    assert compare(tmp_path / "a.h5", done.tree) == 3
    assert {p.spec.path: len(p.places) for p in done.plan.arrays}["/plain"] == 1
