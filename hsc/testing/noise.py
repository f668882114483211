"""Photon noise: frames that are independent Poisson draws of one expectation."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError

# Up to this expectation a draw walks up the distribution; above it numpy's rejection is faster.
_BRIGHT = 30.0
# P(k > 255) at an expectation of 30 is below 1e-120, and a count of one byte holds 255.
_LONGEST_WALK = 256
_BLOCK = 256
_AT_ONCE = 64 * 1024
_RECIPROCALS = np.concatenate([[0.0], 1.0 / np.arange(1, _LONGEST_WALK)])


class PoissonFrames:
    """Draw frame after frame around one expectation; call it with the index of a frame.

    Every pixel of every frame is an independent Poisson draw. Frame i is drawn by a generator of
    its own, ``SeedSequence([seed, stream], spawn_key=(i,))``, so it is the same whichever thread
    draws it and whatever was drawn before. The inversion of the distribution follows Devroye,
    Non-Uniform Random Variate Generation (1986), section X.3.3, with 53-bit uniform numbers.

    Parameters
    ----------
    expectation
        Expected counts per pixel and frame, (Y, X), finite and not negative.
    dtype
        Type of the frames: uint8, uint16 or uint32. A draw that it can't hold becomes the largest
        number below its maximum, since the maximum says "no pixel".
    seed, stream
        Which frames; two streams of one seed are independent.
    dead
        Where the frames hold the maximum of their type: bool (Y, X).

    Raises
    ------
    ParameterError
        The expectation is negative or not finite, or the type is not unsigned.

    Examples
    --------
    >>> frames = PoissonFrames(np.full((2, 3), 4.0), np.dtype("u2"), seed=1)
    >>> frames(7).shape, bool((frames(7) == frames(7)).all()), bool((frames(7) == frames(8)).all())
    ((2, 3), True, False)
    """

    def __init__(
        self,
        expectation: NDArray[np.floating[Any]],
        dtype: np.dtype[Any],
        *,
        seed: int = 0,
        stream: int = 0,
        dead: NDArray[np.bool_] | None = None,
    ) -> None:
        self.dtype = np.dtype(dtype)
        if self.dtype.kind != "u":
            raise ParameterError(f"frames of counts are unsigned, not {self.dtype}")
        wanted = np.asarray(expectation, np.float64)
        if not (np.isfinite(wanted).all() and (wanted >= 0).all()):
            raise ParameterError("an expectation of counts is negative or not finite")
        self.shape = wanted.shape
        self._seed = (seed, stream)
        self._dead = np.zeros(self.shape, np.bool_) if dead is None else dead
        flat = np.where(self._dead, 0.0, wanted).ravel()
        self._bright = np.flatnonzero(flat > _BRIGHT)
        self._bright_expectation = flat[self._bright]
        flat[self._bright] = 0.0
        self._dim_expectation = flat
        self._probability_of_zero = np.exp(-flat)

    def __call__(self, index: int) -> NDArray[Any]:
        """Give frame ``index``: (Y, X) of the wanted type."""
        sequence = np.random.SeedSequence(list(self._seed), spawn_key=(index,))
        generator = np.random.Generator(np.random.SFC64(sequence))
        top = int(np.iinfo(self.dtype).max)
        counts = np.empty(self._dim_expectation.size, self.dtype)
        # The uniform numbers of a whole frame would leave the processor's cache before their use.
        uniform = np.empty(min(counts.size, _AT_ONCE))
        for start in range(0, counts.size, _AT_ONCE):
            part = slice(start, min(start + _AT_ONCE, counts.size))
            generator.random(out=uniform[: part.stop - start])
            _draw(
                uniform,
                self._dim_expectation[part],
                self._probability_of_zero[part],
                counts[part],
            )
        bright = generator.poisson(self._bright_expectation)
        counts[self._bright] = np.minimum(bright, top - 1)
        np.minimum(counts, top - 1, out=counts)
        frame = counts.reshape(self.shape)
        frame[self._dead] = top
        return frame


def _walk(
    uniform: NDArray[np.float64],
    expectation: NDArray[np.float64],
    probability_of_zero: NDArray[np.float64],
    counts: NDArray[Any],
) -> None:
    # Block by block, all its pixels take each step: no branch depends on a pixel, so the inner
    # loops run on vector registers, twice as fast as one pixel after the other.
    left = np.empty(_BLOCK)
    probability = np.empty(_BLOCK)
    found = np.empty(_BLOCK, np.int64)
    for start in range(0, counts.size, _BLOCK):
        size = min(_BLOCK, counts.size - start)
        expected = expectation[start : start + size]
        for pixel in range(size):
            probability[pixel] = probability_of_zero[start + pixel]
            left[pixel] = uniform[start + pixel] - probability[pixel]
            found[pixel] = 0
        for count in range(1, _LONGEST_WALK):
            walking = 0
            for pixel in range(size):
                step = 1 if left[pixel] >= 0.0 else 0
                found[pixel] += step
                walking += step
            if walking == 0:
                break
            for pixel in range(size):
                probability[pixel] *= expected[pixel] * _RECIPROCALS[count]
                left[pixel] -= probability[pixel]
        for pixel in range(size):
            counts[start + pixel] = found[pixel]


# Outside the interpreter's lock, so that several threads draw at once.
_draw: Any = numba.njit(nogil=True)(_walk)
