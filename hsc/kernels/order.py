"""Order statistics of groups of numbers that lie one after the other."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_BINS = 1024
# So few are put in order one by one.
_FEW = 24


def ranked(
    values: NDArray[np.float64], starts: NDArray[np.int64], ranks: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Give numbers of each group by their place in its order, and what follows them there.

    Parameters
    ----------
    values
        One group after the other, none of them NaN.
    starts
        (groups + 1,): where each group begins.
    ranks
        (n, groups): places in a group's order, from 0; negative: none.

    Returns
    -------
    found
        (n, groups, 2): the numbers at these places, and at the next ones, or again the same where
        they are the last; NaN where none was asked for.

    Examples
    --------
    >>> ranked(np.array([4.0, -1.0, 2.0]), np.array([0, 3]), np.array([[0], [2]])).tolist()
    [[[-1.0, 2.0]], [[4.0, 4.0]]]
    """
    found = np.full((*ranks.shape, 2), np.nan)
    keys = np.empty(int(np.diff(starts).max(initial=0)), np.int64)
    _rank(values.view(np.int64), starts, ranks, keys, found.view(np.int64))
    return found


@numba.njit(nogil=True, cache=True)
def _rank(bits, starts, ranks, keys, found):  # type: ignore[no-untyped-def]
    """Find numbers by the order of their bits, which is theirs but for the sign."""
    bins = np.empty(_BINS, np.int64)
    for group in range(starts.size - 1):
        part = bits[starts[group] : starts[group + 1]]
        for place in range(ranks.shape[0]):
            rank = ranks[place, group]
            if rank >= 0:
                for each in range(part.size):
                    keys[each] = _ordered(part[each])
                key = _select(keys, part.size, rank, bins)
                found[place, group, 0] = _ordered(key)
                found[place, group, 1] = _ordered(_next(part, key, rank))


@numba.njit(nogil=True, cache=True)
def _ordered(bits):  # type: ignore[no-untyped-def]
    """Turn the bits of a number into a whole number of the same order, and back."""
    return bits ^ ((bits >> 63) & np.int64(2**63 - 1))


@numba.njit(nogil=True, cache=True)
def _select(keys, count, rank, bins):  # type: ignore[no-untyped-def]
    """Give the key at a place in the order of the first ones, which are overwritten.

    Each round keeps those of one bin of a thousand: no more than six, whatever the numbers are.
    """
    while count > _FEW:
        low, high = keys[0], keys[0]
        for place in range(count):
            low, high = min(low, keys[place]), max(high, keys[place])
        if low == high:
            return low
        span, shift = np.uint64(high) - np.uint64(low), np.uint64(0)
        while span >> shift >= np.uint64(_BINS):
            shift += np.uint64(1)
        bins[:] = 0
        for place in range(count):
            bins[np.int64((np.uint64(keys[place]) - np.uint64(low)) >> shift)] += 1
        bin_, before = 0, 0
        while before + bins[bin_] <= rank:
            before += bins[bin_]
            bin_ += 1
        kept = 0
        for place in range(count):
            key = keys[place]
            keys[kept] = key
            kept += np.int64((np.uint64(key) - np.uint64(low)) >> shift) == bin_
        count, rank = kept, rank - before
    sort_few(keys, count)
    return keys[rank]


@numba.njit(nogil=True, cache=True)
def sort_few(keys, count):  # type: ignore[no-untyped-def]
    """Sort the first keys in place, each put behind those that are no larger."""
    for place in range(1, count):
        key, at = keys[place], place
        while at > 0 and keys[at - 1] > key:
            keys[at] = keys[at - 1]
            at -= 1
        keys[at] = key


@numba.njit(nogil=True, cache=True)
def _next(bits, key, rank):  # type: ignore[no-untyped-def]
    """Give the key that follows one that was found at a place; where it is the last, itself."""
    upto, following = 0, np.int64(2**63 - 1)
    for place in range(bits.size):
        other = _ordered(bits[place])
        upto += other <= key
        following = min(following, other if other > key else following)
    return key if upto > rank + 1 or upto == bits.size else following
