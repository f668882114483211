"""Members of groups: the pixels in use, one group after the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Members:
    """Which pixels are in use in each group."""

    pixels: NDArray[np.uint32]
    """Flat indices, ascending in each group."""
    starts: NDArray[np.int64]
    """(groups + 1,): where each group begins."""

    def shares(self, most: int) -> list[tuple[int, int]]:
        """Cut the groups into runs: first, one past the last, of about so many pixels or of one.

        Examples
        --------
        >>> Members(np.arange(9, dtype="u4"), np.array([0, 2, 4, 8, 9])).shares(4)
        [(0, 2), (2, 3), (3, 4)]
        """
        cuts, last = [0], len(self.starts) - 1
        while cuts[-1] < last:
            end = int(np.searchsorted(self.starts, self.starts[cuts[-1]] + most, "right")) - 1
            cuts.append(min(max(end, cuts[-1] + 1), last))
        return list(pairwise(cuts))


def places_of(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give where the members of each group in each band begin, and where the groups do.

    Parameters
    ----------
    counts
        (bands, groups): members, of bands of pixels in their order.

    Examples
    --------
    >>> places, starts = places_of(np.array([[1, 2], [3, 4]]))
    >>> places.tolist(), starts.tolist()
    ([[0, 4], [1, 6]], [0, 4, 10])
    """
    starts = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
    return starts[:-1] + np.cumsum(counts, axis=0) - counts, starts
