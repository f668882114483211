"""Previews: what NumPy says of the same pixels, whatever the chunks; outside the root."""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hsc.ingestion import commit_plan, make_plan, verify_written, write_plan
from hsc.kernels import add_block, image_sums, join_sums
from hsc.layouts import read_run
from hsc.store import VersionWriter, open_objects
from hsc.workers import Silent, ThreadWorkers

LOCATION = "local/u/2026/p/x/v1"


def previews(path: Path, store: Path, *, how: str = "full", preview: bool = True):
    plan = make_plan(read_run(path, layout=None, time_zone="UTC"), policy="strict")
    url, workers = store.as_uri(), ThreadWorkers(2)
    written = write_plan(plan, url, LOCATION, workers=workers, progress=Silent(), resumed=False)
    entries = list(written.entries)
    verified = verify_written(
        plan, f"{url}/{LOCATION}", entries, how=how, preview=preview, workers=workers,
        progress=Silent(),
    )  # fmt: skip
    return plan, entries, verified


def loaded(verified, array: str) -> dict[str, np.ndarray]:
    names = ("frames", "totals", "mean", "maximum")
    return {
        name: np.load(io.BytesIO(verified.previews[f"preview/{array}/{name}.npy"]))
        for name in names
    }


def stack(dtype: str, frames: int = 7) -> np.ndarray:
    values = np.random.default_rng(4).poisson(3, (frames, 40, 50)).astype(dtype)
    if np.dtype(dtype).kind == "u":
        values[2, 5, 6] = np.iinfo(dtype).max
        values[:, 1, 1] = np.iinfo(dtype).max
    return values


def expected(values: np.ndarray) -> dict[str, np.ndarray]:
    flat = values.reshape(-1, *values.shape[-2:])
    marked = flat.dtype.kind == "u"
    there = flat != np.iinfo(flat.dtype).max if marked else np.ones(flat.shape, bool)
    kept = np.where(there, flat, 0)
    count = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (kept.sum(axis=0, dtype="f8") / count).astype("f4")
    return {
        "frames": np.arange(len(flat)),
        "totals": kept.sum(axis=(1, 2), dtype="f8"),
        "mean": mean,
        "maximum": np.where(count, kept.max(axis=0), 0),
    }


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("chunks", [(1, 40, 50), (2, 16, 16), None])
def test_a_preview_is_what_numpy_says_of_the_pixels(tmp_path, dtype, chunks):
    values = stack(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x/y", data=values, chunks=chunks)
    _, _, verified = previews(tmp_path / "a.h5", tmp_path / "store")
    found, wanted = loaded(verified, "x/y"), expected(values)
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_frames_of_four_dimensions_are_counted_through(tmp_path):
    values = stack("u2", 12).reshape(3, 4, 40, 50)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", data=values, chunks=(1, 2, 40, 50))
    _, _, verified = previews(tmp_path / "a.h5", tmp_path / "store")
    for name, array in expected(values).items():
        np.testing.assert_array_equal(loaded(verified, "data")[name], array, err_msg=name)


@pytest.mark.parametrize("how", ["none", "sample"])
def test_previews_are_made_of_all_frames_without_comparing_all(tmp_path, how):
    values = np.random.default_rng(1).integers(0, 9, (40, 32, 32)).astype("u4")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", data=values, chunks=(1, 32, 32), **hdf5plugin.Bitshuffle())
    _, _, verified = previews(tmp_path / "a.h5", tmp_path / "store", how=how)
    assert verified.compared == {"none": 0, "sample": 16}[how]
    np.testing.assert_array_equal(loaded(verified, "data")["totals"], values.sum(axis=(1, 2)))


def test_frames_that_were_never_written_are_no_zeros(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("data", (5, 300, 300), "u2", chunks=(1, 300, 300))
        data[1], data[3] = 4, 8
    _, _, verified = previews(tmp_path / "a.h5", tmp_path / "store")
    found = loaded(verified, "data")
    assert found["frames"].tolist() == [1, 3]
    assert found["totals"].tolist() == [360_000, 720_000]
    assert (found["mean"] == 6).all()


def test_a_picture_shows_the_mean_image_no_larger_than_512_pixels(tmp_path):
    values = np.zeros((2, 1030, 600), "u2")
    values[:, 500:530, 300:330] = 1000
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", data=values, chunks=(1, 1030, 600))
    _, _, verified = previews(tmp_path / "a.h5", tmp_path / "store")
    picture = np.asarray(Image.open(io.BytesIO(verified.previews["preview/data/preview.png"])))
    assert max(picture.shape) <= 512
    assert picture[515 // 3, 315 // 3] == 255
    assert picture[0, 0] == 0


def test_only_stacks_of_images_have_previews_and_they_leave_the_root_alone(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["curve"] = np.arange(5000.0)
        file["matrix"] = np.zeros((64, 64))
        file["narrow"] = np.zeros((4, 64, 8))
        file["stack"] = np.ones((4, 64, 64))
    plan, entries, verified = previews(tmp_path / "a.h5", tmp_path / "store")
    assert {key.split("/")[1] for key in verified.previews} == {"stack"}
    writer = VersionWriter(open_objects((tmp_path / "store").as_uri()), LOCATION)
    with_previews = entries + writer.put_metadata(verified.previews)
    store = (tmp_path / "store").as_uri()
    manifest = commit_plan(plan, store, LOCATION, with_previews)
    plain, _, _ = previews(tmp_path / "a.h5", tmp_path / "other", preview=False)
    other = commit_plan(plain, (tmp_path / "other").as_uri(), LOCATION, entries_of(tmp_path, plain))
    assert manifest.root == other.root
    assert len(manifest.entries) == len(other.entries) + 5


def entries_of(tmp_path, plan):
    return write_plan(
        plan, (tmp_path / "other").as_uri(), LOCATION, workers=ThreadWorkers(1),
        progress=Silent(), resumed=True,
    ).entries  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_sums_of_parts_are_the_sums_of_the_whole(data):
    frames = data.draw(st.integers(1, 6))
    values = np.random.default_rng(data.draw(st.integers(0, 99))).integers(
        0, 2**16, (frames, 5, 4)
    ).astype("u2")  # fmt: skip
    cut = data.draw(st.integers(0, frames))
    parts = []
    for numbers in (np.arange(cut), np.arange(cut, frames)):
        part = image_sums(numbers, (5, 4), np.dtype("u2"))
        for top in (0, 3):
            block = values[numbers, top : top + 3]
            add_block(part, block, np.arange(len(numbers)), (top, 0))
        parts.append(part)
    joined, wanted = join_sums(parts), expected(values)
    assert joined.frames.tolist() == list(range(frames))
    np.testing.assert_array_equal(joined.totals, wanted["totals"])
    np.testing.assert_array_equal(joined.mean(), wanted["mean"])
    np.testing.assert_array_equal(joined.maxima, wanted["maximum"])
