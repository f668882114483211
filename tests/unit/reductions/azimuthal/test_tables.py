"""Tables of pixels: the same from memory, disk and anew; damage, change and bounds."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from hsc.errors import ReductionError
from hsc.reductions.azimuthal.binning import Binning
from hsc.reductions.azimuthal.integration import block_of, cut, integrate_block
from hsc.reductions.azimuthal.pictures import Calibrations
from hsc.reductions.azimuthal.reduction import AZIMUTHAL
from hsc.reductions.azimuthal.shelf import fetch_arrays, keep_arrays
from hsc.reductions.azimuthal.stack import stack_of
from hsc.reductions.azimuthal.sums import join
from hsc.reductions.geometry import Geometry

GEOMETRY = Geometry((6, 5), 0.1, 1e-10, 0.001, 0.001, 1e-4, 1e-4)
BINNING = Binning(GEOMETRY, 7, 0.0, 3.0)
ARRAYS = {
    "pixels": np.arange(30, dtype=np.int32),
    "shares": np.linspace(0, 1, 30, dtype=np.float32),
    "factors": np.ones((2, 30), dtype=np.float32),
    "dark": np.empty(0, dtype=np.float32),
}


def kept(folder, binning=BINNING, **others):
    keep_arrays(binning, ARRAYS, folder, worth_bytes=0, **others)
    return sorted(folder.glob("*.table"))


def test_what_was_kept_comes_back_in_whole_words(tmp_path):
    (path,) = kept(tmp_path)
    found = fetch_arrays(BINNING, tmp_path)
    assert list(found) == list(ARRAYS)
    for name, values in ARRAYS.items():
        assert found[name].dtype == values.dtype
        assert np.array_equal(found[name], values)
        assert found[name].flags.aligned
    assert path.stat().st_mode & 0o077 == path.stat().st_mode & 0o044


def test_another_binning_has_another_table(tmp_path):
    kept(tmp_path)
    assert fetch_arrays(replace(BINNING, bins=8), tmp_path) is None
    assert fetch_arrays(replace(BINNING, splitting="bbox"), tmp_path) is None
    turned = replace(GEOMETRY, rot1_rad=1e-9)
    assert fetch_arrays(replace(BINNING, geometry=turned), tmp_path) is None


@pytest.mark.parametrize("at", [0, 20, 60, -1])
def test_a_damaged_table_is_not_believed(tmp_path, at):
    (path,) = kept(tmp_path)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert fetch_arrays(BINNING, tmp_path) is None


@pytest.mark.parametrize("length", [0, 5, 44, 200])
def test_half_a_table_is_not_believed(tmp_path, length):
    (path,) = kept(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    assert fetch_arrays(BINNING, tmp_path) is None


def test_the_tables_that_were_not_used_for_longest_are_swept_first(tmp_path):
    binnings = [replace(BINNING, bins=bins) for bins in (1, 2, 3)]
    for age, binning in enumerate(binnings):
        kept(tmp_path, binning)
        newest = max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (1e9 + age, 1e9 + age))
    fetch_arrays(binnings[0], tmp_path)
    nbytes = newest.stat().st_size
    kept(tmp_path, replace(BINNING, bins=4), most_bytes=3 * nbytes)
    there = [fetch_arrays(one, tmp_path) is not None for one in binnings]
    assert there == [True, False, True]
    assert not list(tmp_path.glob("*.tmp"))


def test_where_nothing_can_be_kept_work_goes_on(tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")
    keep_arrays(BINNING, ARRAYS, tmp_path / "file", worth_bytes=0)
    assert "could not be kept" in caplog.text
    assert fetch_arrays(BINNING, tmp_path / "file") is None


@pytest.mark.parametrize("splitting", ["no", "bbox"])
def test_a_table_from_disk_gives_the_bytes_of_one_that_was_built(in_memory, splitting):
    from hsc.reductions.azimuthal.tables import _build

    frames = np.random.default_rng(0).poisson(2, (1, 500, 400)).astype(np.uint16)
    asked = AZIMUTHAL.parse({"bins": 20, "splitting": splitting})
    binning = stack_of(in_memory(frames), asked).binning
    built, fetched = _build(binning), _build(binning)
    assert fetch_arrays(binning) is not None
    for name in ("pixels", "starts", "shares"):
        assert np.array_equal(getattr(built.order, name), getattr(fetched.order, name))
    assert np.array_equal(built.factors, fetched.factors)


@pytest.mark.parametrize("asked", [{"splitting": "bbox"}, {"error_model": "azimuthal"}])
@pytest.mark.parametrize(("length", "batch"), [(1, 1), (3, 2), (5, 4), (13, 8)])
def test_any_cut_into_blocks_gives_the_same_bytes_of_split_pixels_too(
    in_memory, random_frames, asked, length, batch
):
    parameters = AZIMUTHAL.parse({"bins": 25, "saturation_counts": 8.0, **asked})
    stack = stack_of(in_memory(random_frames()), parameters)
    whole = join([integrate_block(block) for block in cut(stack, 1)])
    joined = join(
        [
            integrate_block(block_of(stack, start, min(start + length, 13), batch))
            for start in range(0, 13, length)
        ]
    )
    for name in whole.__slots__:
        assert getattr(joined, name).tobytes() == getattr(whole, name).tobytes()


@pytest.mark.parametrize(
    ("role", "values", "message"),
    [
        ("dark", np.zeros((5, 4)), r"a dark of shape \(5, 4\) for frames"),
        ("flatfield", np.zeros((60, 50)), "every pixel is masked"),
        ("flatfield", np.zeros((3, 60, 51)), r"a flat of shape \(60, 51\) for frames"),
    ],
)
def test_a_calibration_that_does_not_fit_is_refused(
    in_memory, random_frames, picture, role, values, message
):
    from hsc.reductions.azimuthal.tables import pixel_table

    dataset = in_memory(random_frames())
    other = in_memory(random_frames(), **{role: picture(values)}).without("count_time")
    name = {"dark": "dark", "flatfield": "flat"}[role]
    with pytest.raises(ReductionError, match=message):
        pixel_table(stack_of(dataset, AZIMUTHAL.parse(), Calibrations(**{name: other})).binning)
