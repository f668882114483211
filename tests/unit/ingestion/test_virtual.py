"""A virtual dataset over whole chunks travels undecoded; any other is decoded; both are exact."""

from __future__ import annotations

from itertools import product

import h5py
import hdf5plugin
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.layouts import read_run
from hsc.model import Way
from hsc.testing import DectrisRun, Detector, write_dectris_channels

FRAME = (16, 24)


def frames(seed, count, dtype="u2", frame=FRAME):
    return np.random.default_rng(seed).integers(0, 99, (count, *frame)).astype(dtype)


def write_source(path, data, chunk=None, name="data", **options):
    filters = options or hdf5plugin.Bitshuffle(cname="lz4")
    with h5py.File(path, "a") as file:
        file.create_dataset(name, data=data, chunks=chunk or (1, *data.shape[1:]), **filters)


def check(path, done, name):
    with h5py.File(path) as file:
        theirs = file[name][()]
    ours = zarr.open_array(done.tree / name, mode="r")[...]
    assert ours.dtype == theirs.dtype
    assert ours.tobytes() == theirs.tobytes()


def way(done, name):
    return next(p.spec.way for p in done.plan.arrays if p.spec.path == f"/{name}")


@pytest.fixture
def parts(tmp_path):
    """Write three files of 2, 3 and 4 frames."""
    names = [tmp_path / f"part_{n}.h5" for n in range(3)]
    for number, path in enumerate(names):
        write_source(path, frames(number, number + 2))
    return names


def stack(master, parts, counts=(2, 3, 4), **options):
    with h5py.File(master, "w") as file:
        layout = h5py.VirtualLayout((sum(counts), *FRAME), "u2")
        start = 0
        for path, count in zip(parts, counts, strict=True):
            source = h5py.VirtualSource(path.name, "data", (count, *FRAME))
            layout[start : start + count] = source
            start += count
        file.create_virtual_dataset("all", layout, **options)


def test_stacked_files_travel_undecoded(tmp_path, parts, ingest):
    stack(tmp_path / "m.h5", parts)
    done = ingest(tmp_path / "m.h5")
    assert way(done, "all") is Way.REWRAP
    assert done.manifest.files == ("m.h5", "part_0.h5", "part_1.h5", "part_2.h5")
    check(tmp_path / "m.h5", done, "all")
    told = zarr.open_array(done.tree / "all", mode="r").attrs["hsc:virtual"]
    assert [mapping["file"] for mapping in told["mappings"]] == [p.name for p in parts]
    assert told["mappings"][1]["virtual"][0] == [2, 1, 1, 3]


def test_four_dimensions_over_files_of_three_travel_undecoded(tmp_path, ingest):
    # Two thresholds of a detector, each with files of its own.
    for channel, part in product(range(2), range(2)):
        write_source(tmp_path / f"{channel}{part}.h5", frames(10 * channel + part, 3))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        layout = h5py.VirtualLayout((6, 2, *FRAME), "u2")
        for channel, part in product(range(2), range(2)):
            source = h5py.VirtualSource(f"{channel}{part}.h5", "data", (3, *FRAME))
            layout[3 * part : 3 * part + 3, channel] = source
        file.create_virtual_dataset("all", layout)
    done = ingest(tmp_path / "m.h5")
    assert way(done, "all") is Way.REWRAP
    assert done.plan.arrays[0].spec.chunks == (1, 1, *FRAME)
    check(tmp_path / "m.h5", done, "all")


def test_a_dectris_master_of_several_channels_travels_undecoded(tmp_path, ingest):
    detector = Detector(shape=(16, 12), module_shape=(7, 12), gap_shape=(2, 0))
    run = DectrisRun(
        frames=5, frames_per_file=2, detector=detector, proposal="2", sample="s", instrument="i"
    )
    master = write_dectris_channels(
        tmp_path / "run", run, lambda index, channel: np.full((16, 12), 9 * channel + index, "u2")
    )
    done = ingest(master)
    assert done.plan.run.layout == "dectris"
    # Every chunk was compared with what HDF5 reads of the virtual dataset (`ingest`).
    assert way(done, "entry/data/data") is Way.REWRAP


def test_in_a_runs_folder_sources_lie_anywhere_below_and_travel_undecoded(tmp_path, ingest):
    (tmp_path / "run" / "raw").mkdir(parents=True)
    (tmp_path / "run" / "processed").mkdir()
    write_source(tmp_path / "run" / "raw" / "a.h5", frames(0, 3))
    with h5py.File(tmp_path / "run" / "processed" / "m.h5", "w") as file:
        layout = h5py.VirtualLayout((3, *FRAME), "u2")
        layout[:] = h5py.VirtualSource("../raw/a.h5", "data", (3, *FRAME))
        file.create_virtual_dataset("all", layout)
    done = ingest(tmp_path / "run")
    assert way(done, "processed/m.h5/all") is Way.REWRAP
    ours = zarr.open_group(done.tree, mode="r")["processed/m.h5/all"][...]
    assert (ours == frames(0, 3)).all()


def test_frames_that_several_writers_take_in_turns_travel_undecoded(tmp_path, ingest):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        layout = h5py.VirtualLayout((12, *FRAME), "u2")
        for writer in range(3):
            write_source(tmp_path / f"{writer}.h5", frames(writer, 4))
            layout[writer::3] = h5py.VirtualSource(f"{writer}.h5", "data", (4, *FRAME))
        file.create_virtual_dataset("all", layout)
    done = ingest(tmp_path / "m.h5")
    assert way(done, "all") is Way.REWRAP
    check(tmp_path / "m.h5", done, "all")


def test_modules_beside_each_other_travel_undecoded(tmp_path, ingest):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        layout = h5py.VirtualLayout((3, 2 * FRAME[0], FRAME[1]), "u2")
        for module in range(2):
            write_source(tmp_path / f"{module}.h5", frames(module, 3))
            rows = slice(FRAME[0] * module, FRAME[0] * (module + 1))
            layout[:, rows] = h5py.VirtualSource(f"{module}.h5", "data", (3, *FRAME))
        file.create_virtual_dataset("all", layout)
    done = ingest(tmp_path / "m.h5")
    assert way(done, "all") is Way.REWRAP
    check(tmp_path / "m.h5", done, "all")


def test_a_virtual_dataset_over_a_virtual_dataset_travels_undecoded(tmp_path, parts, ingest):
    stack(tmp_path / "stack.h5", parts)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        layout = h5py.VirtualLayout((5, *FRAME), "u2")
        layout[:] = h5py.VirtualSource("stack.h5", "all", (9, *FRAME))[3:8]
        file.create_virtual_dataset("some", layout)
    done = ingest(tmp_path / "m.h5")
    assert way(done, "some") is Way.REWRAP
    assert set(done.manifest.files) == {"m.h5", "stack.h5", *(p.name for p in parts)}
    check(tmp_path / "m.h5", done, "some")


def test_chunks_that_are_cut_are_decoded(tmp_path, ingest):
    write_source(tmp_path / "a.h5", frames(0, 8), chunk=(2, *FRAME))
    for name, start in (("whole", 2), ("cut", 1)):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            layout = h5py.VirtualLayout((4, *FRAME), "u2")
            source = h5py.VirtualSource("a.h5", "data", (8, *FRAME))
            layout[:] = source[start : start + 4]
            file.create_virtual_dataset("v", layout)
    for name, expected in (("whole", Way.REWRAP), ("cut", Way.RECODE)):
        done = ingest(tmp_path / f"{name}.h5")
        assert way(done, "v") is expected
        check(tmp_path / f"{name}.h5", done, "v")


@pytest.mark.parametrize("other", ["filters", "fill", "type", "overlap"])
def test_sources_that_differ_are_decoded(tmp_path, ingest, other):
    write_source(tmp_path / "a.h5", frames(0, 2))
    data = frames(1, 2, dtype="u4" if other == "type" else "u2")
    if other == "filters":
        write_source(tmp_path / "b.h5", data, compression="gzip")
    elif other == "fill":
        filters = hdf5plugin.Bitshuffle(cname="lz4")
        write_source(tmp_path / "b.h5", data, fillvalue=7, **filters)
    else:
        write_source(tmp_path / "b.h5", data)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        layout = h5py.VirtualLayout((4, *FRAME), "u2")
        layout[:2] = h5py.VirtualSource("a.h5", "data", (2, *FRAME))
        second = slice(1, 3) if other == "overlap" else slice(2, 4)
        layout[second] = h5py.VirtualSource("b.h5", "data", (2, *FRAME))
        file.create_virtual_dataset("all", layout)
    done = ingest(tmp_path / "m.h5")
    assert way(done, "all") is Way.RECODE
    check(tmp_path / "m.h5", done, "all")


def test_frames_that_were_never_written_and_those_that_skipped_a_filter_come_through(
    tmp_path, ingest
):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset(
            "data", (6, *FRAME), "u2", chunks=(1, *FRAME), **hdf5plugin.Bitshuffle(cname="lz4")
        )
        made[1:3] = frames(0, 2)
        made.id.write_direct_chunk((4, 0, 0), frames(1, 1).tobytes(), filter_mask=1)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        layout = h5py.VirtualLayout((6, *FRAME), "u2")
        layout[:] = h5py.VirtualSource("a.h5", "data", (6, *FRAME))
        file.create_virtual_dataset("all", layout)
    done = ingest(tmp_path / "m.h5")
    assert way(done, "all") is Way.REWRAP
    assert len(done.plan.arrays[0].places) == 3
    check(tmp_path / "m.h5", done, "all")


def test_a_source_that_a_link_shows_too_is_carried_once(tmp_path, parts, ingest):
    stack(tmp_path / "m.h5", parts)
    with h5py.File(tmp_path / "part_1.h5", "a") as file:
        file["data"].attrs["image_nr_low"] = 3
    with h5py.File(tmp_path / "m.h5", "a") as file:
        for number, path in enumerate(parts):
            file[f"data_{number}"] = h5py.ExternalLink(path.name, "/data")
    done = ingest(tmp_path / "m.h5")
    assert [p.spec.path for p in done.plan.arrays] == ["/all"]
    root = zarr.open_group(done.tree, mode="r")
    link = {"external": "/data", "file": "part_1.h5", "within": "/all"}
    assert root.attrs["hsc:links"]["data_1"] == link
    told = root["all"].attrs["hsc:virtual"]["linked"]["/data_1"]
    assert told == {"attributes": {"image_nr_low": 3}, "shape": [3, *FRAME]}


def test_a_thousand_mappings_of_single_frames_are_one_array(tmp_path):
    write_source(tmp_path / "a.h5", frames(0, 1000, frame=(2, 2)))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        layout = h5py.VirtualLayout((1000, 2, 2), "u2")
        source = h5py.VirtualSource("a.h5", "data", (1000, 2, 2))
        for number in range(1000):
            layout[number] = source[999 - number]
        file.create_virtual_dataset("v", layout)
    (array,) = read_run(tmp_path / "m.h5", layout="plain", time_zone="UTC").arrays
    index = array.pieces[0].dataset.index
    assert (np.diff(index.offsets.astype(np.int64)) < 0).all()
    assert len(index) == 1000


@st.composite
def selections(draw):
    """Draw a source and one or two hyperslabs of it that a virtual dataset shows."""
    length, chunk = draw(st.integers(1, 9)), draw(st.integers(1, 3))
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        start, step = draw(st.integers(0, length - 1)), draw(st.integers(1, 3))
        parts.append((range(start, length, step), draw(st.integers(0, 6)), draw(st.integers(1, 3))))
    return length, chunk, parts


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(selections())
def test_whatever_is_mapped_reads_as_hdf5_reads_it(tmp_path_factory, ingest, drawn):
    length, chunk, parts = drawn
    folder = tmp_path_factory.mktemp("v")
    data = frames(1, length, frame=(4,))
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset(
            "data", data=data, chunks=(min(chunk, length), 4), **hdf5plugin.Bitshuffle()
        )
    with h5py.File(folder / "m.h5", "w") as file:
        end = max(at + step * (len(rows) - 1) + 1 for rows, at, step in parts)
        layout = h5py.VirtualLayout((end, 4), "u2")
        source = h5py.VirtualSource("a.h5", "data", (length, 4))
        for rows, at, step in parts:
            stop = at + step * (len(rows) - 1) + 1
            layout[at:stop:step] = source[rows.start : rows.stop : rows.step]
        file.create_virtual_dataset("v", layout)
    check(folder / "m.h5", ingest(folder / "m.h5"), "v")


def test_frames_of_more_files_than_are_kept_open_travel_undecoded(tmp_path, ingest):
    count = 150
    with h5py.File(tmp_path / "m.h5", "w") as file:
        layout = h5py.VirtualLayout((2 * count, 4, 4), "u2")
        for number in range(count):
            write_source(tmp_path / f"{number}.h5", frames(number, 2, frame=(4, 4)))
            source = h5py.VirtualSource(f"{number}.h5", "data", (2, 4, 4))
            layout[number::count] = source
        file.create_virtual_dataset("all", layout)
    done = ingest(tmp_path / "m.h5")
    assert way(done, "all") is Way.REWRAP
    check(tmp_path / "m.h5", done, "all")
