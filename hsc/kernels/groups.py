"""Pixels by groups: which pixels in use belong to each, in linear time and in bands of its own."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


def count_members(
    labels: NDArray[np.int32], n: NDArray[np.uint32], mask: NDArray[np.uint32], groups: int
) -> NDArray[np.int64]:
    """Count the pixels in use of each group.

    Parameters
    ----------
    labels, n, mask
        (pixels,): group of each, its good counts, and 0 where it is not known to be bad. In use are
        those with good counts that are not.
    groups
        How many groups there are.
    """
    counts = np.zeros(groups, np.int64)
    _count(labels, n, mask, counts)
    return counts


def list_members(
    labels: NDArray[np.int32],
    n: NDArray[np.uint32],
    mask: NDArray[np.uint32],
    first: int,
    places: NDArray[np.int64],
    members: NDArray[np.uint32],
) -> None:
    """Note the pixels in use of each group, ascending.

    Parameters
    ----------
    labels, n, mask
        As for `count_members`.
    first
        Number of the first pixel.
    places
        (groups,): where the first of each group goes; raised to where the next would.
    members
        Gets them.

    Examples
    --------
    >>> labels, n = np.array([1, 0, 1], "i4"), np.array([5, 5, 5], "u4")
    >>> counts = count_members(labels, n, np.zeros(3, "u4"), 2)
    >>> members = np.empty(3, "u4")
    >>> list_members(labels, n, np.zeros(3, "u4"), 100, np.cumsum(counts) - counts, members)
    >>> members.tolist()
    [101, 100, 102]
    """
    _list(labels, n, mask, first, places, members)


def flag_where_none(
    n: NDArray[np.uint32], mask: NDArray[np.uint32], flaw: int, flaws: NDArray[np.uint32]
) -> None:
    """Flag pixels without a good count that are not known to be bad; others get 0."""
    _flag_none(n, mask, np.uint32(flaw), flaws)


@numba.njit(nogil=True, cache=True)
def _count(labels, n, mask, counts):  # type: ignore[no-untyped-def]
    for place in range(labels.size):
        counts[labels[place]] += (n[place] > 0) & (mask[place] == 0)


@numba.njit(nogil=True, cache=True)
def _list(labels, n, mask, first, places, members):  # type: ignore[no-untyped-def]
    for place in range(labels.size):
        if n[place] > 0 and mask[place] == 0:
            group = labels[place]
            members[places[group]] = np.uint32(first + place)
            places[group] += 1


@numba.njit(nogil=True, cache=True)
def _flag_none(n, mask, flaw, flaws):  # type: ignore[no-untyped-def]
    for place in range(n.size):
        none = (n[place] == 0) & (mask[place] == 0)
        flaws[place] = flaw if none else np.uint32(0)
