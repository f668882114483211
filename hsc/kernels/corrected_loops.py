"""Walking over pixels that are corrected one by one: four frames at once."""

from __future__ import annotations

import numba
import numpy as np

TOGETHER = 4
"""Frames that share a walk."""

NONE, VARIANCE, POISSON, AZIMUTHAL = range(4)
"""Error models."""

# Unsigned indices, and loads before stores: for a signed index numba looks at each access whether
# it counts from the end, and LLVM makes one instruction of four.
_0, _1, _2, _3, _4 = (np.uint64(number) for number in range(5))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def walk_four(frames, spreads, pictures, scales, columns, out, rules):  # type: ignore[no-untyped-def]
    """Walk over the pixels of four frames; sums are of shape (bins, 5, 4)."""
    entries, bins, shares = columns
    sums, left_out = out
    lowest, highest = rules[2], rules[3]
    one, two, three, four = frames
    last = _0
    for place in range(entries.size):
        pixel = np.uint64(place)
        index = last
        last = index + np.uint64(entries[pixel])
        if index == last:
            continue
        a, b, c, d = one[pixel], two[pixel], three[pixel], four[pixel]
        here = _at(pictures, pixel)
        v0, v1, v2, v3 = _variances(spreads, pixel)
        n0, n1, n2, n3 = _norms(pictures[0], scales, pixel)
        s0, v0, n0 = _correct(a, v0, n0, here, rules)
        s1, v1, n1 = _correct(b, v1, n1, here, rules)
        s2, v2, n2 = _correct(c, v2, n2, here, rules)
        s3, v3, n3 = _correct(d, v3, n3, here, rules)
        s, v, n = (s0, s1, s2, s3), (v0, v1, v2, v3), (n0, n1, n2, n3)
        low = min(np.float64(a), np.float64(b), np.float64(c), np.float64(d))
        high = max(np.float64(a), np.float64(b), np.float64(c), np.float64(d))
        # Of a product that is 0 without one of them being so each is looked at; no harm is done.
        if lowest <= low and high <= highest and n0 * n1 * n2 * n3 != 0:
            while index < last:
                _add_four(sums, np.uint64(bins[index]), np.float64(shares[index]), s, v, n, rules)
                index += _1
            continue
        for lane in range(TOGETHER):
            value = np.float64((a, b, c, d)[lane])
            if not (lowest <= value <= highest and n[lane] != 0):
                left_out[lane] += 1
                continue
            for at in range(index, last):
                into, share = np.uint64(bins[at]), np.float64(shares[at])
                _add_one(sums, into, share, lane, (s[lane], v[lane], n[lane]), rules)
    return 0


@numba.njit(nogil=True, cache=True)
def _at(pictures, pixel):  # type: ignore[no-untyped-def]
    """Give what is subtracted from a pixel, and what is added to its variance."""
    _, dark, dark_variance = pictures
    below = dark[pixel] if len(dark) > 0 else np.float32(0)
    return below, dark_variance[pixel] if len(dark_variance) > 0 else np.float32(0)


@numba.njit(nogil=True, cache=True)
def _variances(spreads, pixel):  # type: ignore[no-untyped-def]
    one, two, three, four = spreads
    if len(one) == 0:
        return np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    return one[pixel], two[pixel], three[pixel], four[pixel]


@numba.njit(nogil=True, cache=True)
def _norms(factors, scales, pixel):  # type: ignore[no-untyped-def]
    n0, n1, n2, n3 = scales[_0], scales[_1], scales[_2], scales[_3]
    for factor in range(factors.shape[0]):
        weight = factors[np.uint64(factor), pixel]
        n0, n1 = np.float32(n0 * weight), np.float32(n1 * weight)
        n2, n3 = np.float32(n2 * weight), np.float32(n3 * weight)
    return n0, n1, n2, n3


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _correct(value, spread, norm, here, rules):  # type: ignore[no-untyped-def]
    """Give signal, variance and normalisation of a pixel, in float32.

    A normalisation of 0 says: left out.
    """
    model, ratios = rules[0], rules[1]
    signal, variance = np.float32(value), np.float32(0)
    if model == POISSON:
        variance = max(np.float32(1), signal)
    elif model == VARIANCE:
        variance = np.float32(spread)
    signal = np.float32(signal - here[0])
    if model != NONE:
        variance = np.float32(variance + here[1])
    # One look at the sum; only that may be too large of numbers that are not.
    if not np.isfinite(signal + variance + norm) and not (
        np.isfinite(signal) and np.isfinite(variance) and np.isfinite(norm)
    ):
        return np.float32(0), np.float32(0), np.float32(0)
    if ratios and norm != 0:
        signal = np.float32(signal / norm)
        variance = np.float32(variance / np.float32(norm * norm))
        norm = np.float32(1)
    return signal, variance, norm


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _add_four(sums, into, share, s, v, n, rules):  # type: ignore[no-untyped-def]
    """Add a share of a pixel to the sums of a bin."""
    w0, w1 = share * np.float64(n[0]), share * np.float64(n[1])
    w2, w3 = share * np.float64(n[2]), share * np.float64(n[3])
    if rules[0] == AZIMUTHAL:
        for lane in range(TOGETHER):
            _add_one(sums, into, share, lane, (s[lane], v[lane], n[lane]), rules)
        return
    squared = share * share
    a0 = sums[into, _0, _0] + share * np.float64(s[0])
    a1 = sums[into, _0, _1] + share * np.float64(s[1])
    a2 = sums[into, _0, _2] + share * np.float64(s[2])
    a3 = sums[into, _0, _3] + share * np.float64(s[3])
    b0 = sums[into, _1, _0] + squared * np.float64(v[0])
    b1 = sums[into, _1, _1] + squared * np.float64(v[1])
    b2 = sums[into, _1, _2] + squared * np.float64(v[2])
    b3 = sums[into, _1, _3] + squared * np.float64(v[3])
    c0, c1 = sums[into, _2, _0] + w0, sums[into, _2, _1] + w1
    c2, c3 = sums[into, _2, _2] + w2, sums[into, _2, _3] + w3
    d0, d1 = sums[into, _3, _0] + w0 * w0, sums[into, _3, _1] + w1 * w1
    d2, d3 = sums[into, _3, _2] + w2 * w2, sums[into, _3, _3] + w3 * w3
    e0, e1 = sums[into, _4, _0] + share, sums[into, _4, _1] + share
    e2, e3 = sums[into, _4, _2] + share, sums[into, _4, _3] + share
    sums[into, _0, _0], sums[into, _0, _1] = a0, a1
    sums[into, _0, _2], sums[into, _0, _3] = a2, a3
    sums[into, _1, _0], sums[into, _1, _1] = b0, b1
    sums[into, _1, _2], sums[into, _1, _3] = b2, b3
    sums[into, _2, _0], sums[into, _2, _1] = c0, c1
    sums[into, _2, _2], sums[into, _2, _3] = c2, c3
    sums[into, _3, _0], sums[into, _3, _1] = d0, d1
    sums[into, _3, _2], sums[into, _3, _3] = d2, d3
    sums[into, _4, _0], sums[into, _4, _1] = e0, e1
    sums[into, _4, _2], sums[into, _4, _3] = e2, e3


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _add_one(sums, into, share, frame, pixel, rules):  # type: ignore[no-untyped-def]
    """Add a share of a pixel of one frame to the sums of a bin.

    For the azimuthal model pyFAI's recurrence, V ← V + w² (S/N - x)(S'/N' - x) with the mean before
    and after, after Schubert and Gertz, SSDBM 2018; the first pixel has no spread.
    """
    lane = np.uint64(frame)
    s, v, n = np.float64(pixel[0]), np.float64(pixel[1]), np.float64(pixel[2])
    weight = share * n
    total, norm = sums[into, _0, lane], sums[into, _2, lane]
    squared = sums[into, _3, lane]
    more, heavier = total + share * s, norm + weight
    if rules[0] != AZIMUTHAL:
        sums[into, _1, lane] += share * share * v
    elif squared <= 0:
        more, heavier, squared = share * s, weight, 0.0
    else:
        ratio = s / n
        before, after = total / norm - ratio, more / heavier - ratio
        sums[into, _1, lane] += weight * weight * before * after
    sums[into, _0, lane] = more
    sums[into, _2, lane] = heavier
    sums[into, _3, lane] = squared + weight * weight
    sums[into, _4, lane] += share
