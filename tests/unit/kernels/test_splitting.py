"""Shares in the order of pixels: the same entries as bin by bin, none of them lost."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.kernels import share_table, sum_split


def test_every_entry_comes_back_with_its_bin_and_those_of_no_share_do_not():
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 90, 500).astype(np.int32)
    shares = np.where(rng.random(500) < 0.1, 0, rng.random(500)).astype(np.float32)
    starts = np.sort(np.concatenate([[0, 500], rng.integers(0, 500, 30)]))
    table = share_table(shares, pixels, starts, 100)
    bins = np.repeat(np.arange(31), np.diff(starts))
    used = np.flatnonzero(shares)
    used = used[np.argsort(pixels[used], kind="stable")]
    assert np.array_equal(table.bins, bins[used])
    assert np.array_equal(table.shares, shares[used])
    assert np.array_equal(table.entries, np.bincount(pixels[used], minlength=100))


def test_a_pixel_outside_the_frame_is_refused():
    one = np.ones(1, dtype=np.float32)
    for pixel in (3, -1):
        with pytest.raises(ValueError, match=f"pixel {pixel} in a frame of 3 pixels"):
            share_table(one, np.array([pixel], dtype=np.int32), np.array([0, 1]), 3)


def test_a_pixel_may_fill_more_bins_than_two_bytes_count():
    size = 70_001
    shares = np.full(size, 1 / size, dtype=np.float32)
    pixels = np.ones(size, dtype=np.int32)
    table = share_table(shares, pixels, np.arange(size + 1), 3)
    assert table.entries.tolist() == [0, size, 0]
    sums = sum_split(np.array([[[9, 7, 9]]], dtype=np.uint16), table, lowest=0, highest=65534)
    assert sums.signal.sum() == pytest.approx(7, rel=1e-5)
