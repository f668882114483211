"""The data files of a DECTRIS run become one array, however they are chunked and packed."""

from __future__ import annotations

import h5py
import hdf5plugin
import numpy as np
import pytest
import zarr

from hsc.errors import IncompleteRunError
from hsc.model import Way

LZ4 = dict(hdf5plugin.Bitshuffle(cname="lz4"))
GZIP = {"compression": "gzip"}


@pytest.fixture
def write_run(tmp_path):
    """Write data files of some frames each; give the master file and all frames."""

    def write(counts, *, rows=1, filters=(LZ4, LZ4, LZ4), dtype="u2", told=None, skip=None):
        rng = np.random.default_rng(3)
        frames = rng.integers(1, 99, (sum(counts), 21, 17)).astype(dtype)
        start = 0
        with h5py.File(tmp_path / "r_master.h5", "w") as master:
            folder = master.create_group("entry/data")
            master["entry/instrument/detector/detectorSpecific/nimages"] = told or sum(counts)
            master["entry/instrument/detector/detectorSpecific/ntrigger"] = 1
            for number, count in enumerate(counts, 1):
                name = f"r_data_{number:06}.h5"
                folder[f"data_{number:06}"] = h5py.ExternalLink(name, "/entry/data/data")
                with h5py.File(tmp_path / name, "w") as file:
                    made = file.create_dataset(
                        "entry/data/data", (count, 21, 17), dtype, chunks=(rows, 21, 17),
                        **filters[number - 1],
                    )  # fmt: skip
                    for row in range(count):
                        if start + row == skip:
                            frames[skip] = 0
                            continue
                        made[row] = frames[start + row]
                start += count
        return tmp_path / "r_master.h5", frames

    return write


def stack(done):
    return zarr.open_group(done.tree, mode="r")["entry/data/data"]


def way(done):
    return next(p.spec.way for p in done.plan.arrays if p.spec.path == "/entry/data/data")


@pytest.mark.parametrize(
    ("counts", "options", "expected"),
    [
        ((3, 2), {}, Way.REWRAP),
        ((4, 3), {"rows": 2}, Way.REWRAP),  # the last file alone may end inside of a chunk
        ((3, 2), {"rows": 2}, Way.RECODE),  # a chunk would reach over two files
        ((2, 2, 2), {"filters": (LZ4, GZIP, LZ4)}, Way.RECODE),
        ((3, 3), {"filters": (GZIP, GZIP)}, Way.RECODE),
        ((3, 2), {"filters": ({}, {}), "dtype": ">u2"}, Way.RECODE),
        ((3, 2), {"dtype": ">u4"}, Way.REWRAP),
        ((3, 2), {"skip": 1}, Way.REWRAP),
        # The chunk has another frame, so HDF5 wrote zeros for this one.
        ((3, 2), {"skip": 3, "rows": 2}, Way.RECODE),
        ((5,), {}, Way.REWRAP),
    ],
)
def test_frames_of_all_files_stand_one_after_the_other(
    write_run, ingest, counts, options, expected
):
    master, frames = write_run(counts, **options)
    # A frame that was never written is refused otherwise.
    done = ingest(master, policy="quarantine" if options == {"skip": 1} else "strict")
    assert way(done) == expected
    assert np.array_equal(stack(done)[...], frames)
    assert stack(done).metadata.dimension_names == ("frame", "y", "x")


def test_a_frame_that_was_never_written_is_refused_or_stays_absent_as_a_gap(
    write_run, ingest, plan
):
    master, _ = write_run((3, 2), skip=1)
    with pytest.raises(IncompleteRunError, match="frame 2 of 5 was never written"):
        plan(master)
    done = ingest(master, policy="quarantine")
    assert [gap.reason for gap in done.manifest.gaps] == [
        "missing in the run: frame 2 of 5 was never written"
    ]
    entry = next(e for e in done.manifest.entries if e.key.endswith("entry/data/data/c/0/0/0"))
    assert entry.chunks.states.tolist() == [1, 0, 1, 1, 1]


def test_a_run_without_one_of_its_data_files_is_refused_or_taken_in_as_it_is(
    write_run, ingest, plan
):
    master, frames = write_run((3, 2, 2))
    (master.parent / "r_data_000002.h5").unlink()
    with pytest.raises(IncompleteRunError, match=r"1 of 3 data files: r_data_000002\.h5"):
        plan(master)
    done = ingest(master, policy="quarantine")
    assert np.array_equal(stack(done)[...], np.concatenate([frames[:3], frames[5:]]))
    assert [gap.reason for gap in done.manifest.gaps] == [
        "missing in the run: 1 of 3 data files: r_data_000002.h5",
        "missing in the run: 2 of 7 frames",
    ]


def test_what_data_files_say_beside_their_frames_is_kept_whatever_its_name(write_run, ingest):
    master, frames = write_run((3, 2))
    with h5py.File(master.parent / "r_data_000002.h5", "a") as file:
        h5py.h5g.create(file.id, b"\xe9")
        file["frames"] = h5py.SoftLink("/entry/data/data")
    done = ingest(master)
    part = stack(done).attrs["hsc:stack"][1]
    assert part["groups"] == {"/": {}, "/entry": {}, "/entry/data": {}, "/\\xe9": {}}
    assert part["links"] == {"/": {"frames": {"soft": "/entry/data/data"}}}
    assert np.array_equal(stack(done)[...], frames)


def test_an_incomplete_run_is_refused_or_a_gap_names_what_is_missing(write_run, plan):
    master, _ = write_run((3, 2), told=9)
    with pytest.raises(IncompleteRunError, match="frames 6 to 9 of 9"):
        plan(master)
    gaps = plan(master, "quarantine").gaps
    assert [gap.reason for gap in gaps] == ["missing in the run: frames 6 to 9 of 9"]
