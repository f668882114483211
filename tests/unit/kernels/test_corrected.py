"""Corrected sums against a literal loop over pixels, bit for bit, however frames go together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.kernels import Corrections, share_table, sum_corrected

f4 = np.float32


def literal(frame, spread, entries, given, scale, bins):
    """Sum one frame, entry by entry: the definition."""
    sums, left_out = np.zeros((5, bins)), 0
    for pixel, shares in enumerate(entries):
        if not shares:
            continue
        value, s = frame[pixel], f4(frame[pixel])
        v = {"poisson": max(f4(1), s), "variance": f4(spread[pixel])}.get(given.model, f4(0))
        s = f4(s - given.dark[pixel]) if len(given.dark) else s
        if len(given.dark_variance) and given.model != "none":
            v = f4(v + given.dark_variance[pixel])
        n = scale
        for factor in given.factors:
            n = f4(n * factor[pixel])
        good = given.lowest <= value <= given.highest and np.isfinite([s, v, n]).all()
        if not good or n == 0:
            left_out += 1
            continue
        if given.ratios:
            s, v, n = f4(s / n), f4(v / f4(n * n)), f4(1)
        s, v, n = float(s), float(v), float(n)
        for into, share in shares:
            total, _, norm, squared, _ = sums[:, into]
            weight = share * n
            if given.model != "azimuthal":
                sums[1, into] += share * share * v
            elif squared > 0:
                before, after = total / norm - s / n, (total + share * s) / (norm + weight) - s / n
                sums[1, into] += weight * weight * before * after
            sums[:, into] += (share * s, 0, weight, weight * weight, share)
    return sums, left_out


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames, pixels = draw(st.integers(1, 9)), draw(st.integers(1, 40))
    bins = draw(st.integers(1, 4))
    dtype = draw(st.sampled_from(["u1", "u2", "u4", "i4", "f4", "f8"]))
    counts = rng.poisson(5, (frames, pixels)).astype(dtype)
    rare = rng.random(counts.shape) < draw(st.sampled_from([0, 0.05, 0.5]))
    marks = [np.nan, np.inf, -1e30] if dtype[0] == "f" else [np.iinfo(dtype).max]
    counts[rare] = rng.choice(marks, rare.sum())
    many = rng.integers(0, 3, pixels)
    entries = [
        [(int(b), float(f4(rng.uniform(0.1, 1)))) for b in sorted(rng.choice(bins, n, False))]
        for n in np.minimum(many, bins)
    ]
    factors = rng.uniform(0.3, 1.2, (draw(st.integers(0, 3)), pixels)).astype(f4)
    factors[rng.random(factors.shape) < 0.05] = draw(st.sampled_from([0, np.nan, 1e-30]))
    dark = rng.uniform(0, 3, pixels).astype(f4)
    nothing = dark[:0]
    given_ = Corrections(
        factors,
        dark=draw(st.sampled_from([dark, nothing])),
        dark_variance=draw(st.sampled_from([dark, nothing])),
        model=draw(st.sampled_from(["none", "variance", "poisson", "azimuthal"])),
        ratios=draw(st.booleans()),
        lowest=draw(st.sampled_from([0, -np.inf])),
        highest=draw(st.sampled_from([250, np.inf])),
    )
    scales = rng.choice([1, 0.5, 3e4], frames).astype(f4)
    spreads = rng.uniform(0, 9, counts.shape).astype(f4)
    return counts, spreads, entries, given_, scales, bins


def table_of(entries, bins):
    flat = [(b, p, share) for p, shares in enumerate(entries) for b, share in shares]
    flat.sort()
    starts = np.searchsorted([b for b, _, _ in flat], np.arange(bins + 1))
    shares = np.array([share for _, _, share in flat], dtype=f4)
    return share_table(shares, np.array([p for _, p, _ in flat], int), starts, len(entries))


@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore:(invalid value|overflow|divide):RuntimeWarning")
@given(cases())
def test_any_frames_together_give_the_numbers_of_each_alone(case):
    counts, spreads, entries, corrections, scales, bins = case
    variances = spreads if corrections.model == "variance" else None
    found = sum_corrected(counts, table_of(entries, bins), corrections, scales, variances)
    for number, frame in enumerate(counts):
        sums, left_out = literal(frame, spreads[number], entries, corrections, scales[number], bins)
        ours = [
            found.signal,
            found.variance,
            found.normalization,
            found.normalization_squared,
            found.count,
        ]
        assert np.array_equal([one[number] for one in ours], sums, equal_nan=True)
        assert found.left_out[number] == left_out
