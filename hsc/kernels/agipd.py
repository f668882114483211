"""Correction of one module's pictures: gain stage, offset, gain, common mode, bad pixels, photons.

The detector tells two things of each pixel: what was integrated, and which of three gains was in
use. AGIPD writes a digital word for the gain, which thresholds part; the formulas are those of the
AGIPD toolbox's documentation. JUNGFRAU writes two bits (A. Mozzanica and others, Synchrotron
Radiat. News 31(6), 16 (2018)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels.agipd_loops import (
    find_medians,
    finish_values,
    round_values,
    scale_values,
    spread_values,
)

AGIPD_CHIP_PIXELS = 64
"""Side of the part of an AGIPD module that one readout chip serves."""
JUNGFRAU_CHIP_PIXELS = 256
"""Side of the part of a JUNGFRAU module that one readout chip serves."""

NO_PHOTONS = 65535
"""Where photons are counted: no value."""


class PixelFlag(IntFlag):
    """What is said of a pixel: the bits of European XFEL's ``BadPixels`` that are met here."""

    VALUE_IS_NAN = 1 << 11
    VALUE_OUT_OF_RANGE = 1 << 12
    GAIN_THRESHOLDING_ERROR = 1 << 13
    WRONG_GAIN_VALUE = 1 << 21
    """The two bits of a JUNGFRAU's gain are 2, which no stage has."""
    NON_STANDARD_SIZE = 1 << 22
    """Comes with the constants: larger pixels at the edges of chips, whose values are good."""
    NO_FRAME = 1 << 29
    """The module has no picture of this pulse; a bit that European XFEL does not use."""


@dataclass(frozen=True, slots=True)
class CellConstants:
    """What is known of the pixels of a module in one memory cell; (stages, rows, columns)."""

    offset: NDArray[np.float32]
    """What stands there without light, for each of three gains."""
    relative_gain: NDArray[np.float32]
    """What a unit above the offset is worth, for each of three gains; or, ``divided``, how many
    units make one."""
    thresholds: NDArray[np.float32]
    """(2, rows, columns): the digital words up to which the first and second gain was in use."""
    bad_pixels: NDArray[np.uint32]
    """Why a pixel is not believed, for each of three gains; 0 is good."""
    noise: NDArray[np.float32] | None = None
    """Spread without light, for each of three gains; None: not known."""
    divided: bool = False
    """Whether values are divided by the gain, which is then units per keV, and not multiplied."""

    @property
    def nbytes(self) -> int:
        """Bytes of all of them."""
        noise = 0 if self.noise is None else self.noise.nbytes
        known = (self.offset, self.relative_gain, self.thresholds, self.bad_pixels)
        return sum(each.nbytes for each in known) + noise


@dataclass(frozen=True, slots=True)
class CorrectionRule:
    """What is done beyond offset and gain."""

    photon_adu: float
    """Units of the corrected values that one photon makes."""
    common_mode: bool = True
    """Whether what all dark pixels of a readout chip share is subtracted."""
    least_dark_pixels: int = 256
    """A chip with fewer dark pixels keeps its values."""
    bad_bits: int = 0xFFFFFFFF & ~PixelFlag.NON_STANDARD_SIZE
    """Bits of the mask that make a pixel bad."""
    chip_pixels: int = AGIPD_CHIP_PIXELS
    """Side of the part of a module that one readout chip serves."""
    wrong_word: float = math.nan
    """A digital word that no stage has; NaN: there is none."""


@dataclass(frozen=True, slots=True)
class CorrectedFrame:
    """A module's picture of one pulse."""

    values: NDArray[np.float32]
    """(rows, columns): NaN where the pixel is bad."""
    gain: NDArray[np.uint8]
    """Stage that was in use: 0, 1 or 2."""
    mask: NDArray[np.uint32]
    """What is said of the pixel, all bits."""
    pixels: NDArray[np.int64]
    """(4,): pixels in each of three stages, and bad ones."""
    total: float
    """Sum of the good values, down the columns and then along them, in 64 bits."""


def correct_frame(
    analog: NDArray[np.integer[Any]],
    digital: NDArray[np.integer[Any]],
    constants: CellConstants,
    rule: CorrectionRule,
    into: tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint32]] | None = None,
) -> CorrectedFrame:
    """Correct a module's picture of one pulse.

    Stage g is 0 where the digital word is at most the first threshold, 1 where it is at most the
    second, else 2; y = (x - offset[g]) * relative_gain[g] in float32, or divided by it. Common
    mode: the median of y, for each readout chip, over the pixels that are good, in stage 0 and
    below half a photon, is subtracted from all its pixels. Bad pixels become NaN.

    Parameters
    ----------
    analog, digital
        (rows, columns): the two words of each pixel, C order.
    constants
        Of the memory cell that held the picture.
    rule
        What is done beyond.
    into
        Where values, gain and mask go, C order; None: new arrays.

    Examples
    --------
    >>> three = np.zeros((3, 1, 2), np.float32)
    >>> constants = CellConstants(three + 100, three + 2, three[:2] + [[[5]], [[9]]],
    ...                           np.array([[[0, 8]], [[0, 0]], [[0, 0]]], np.uint32))
    >>> found = correct_frame(np.array([[103, 99]], "u2"), np.array([[9, 4]], "u2"), constants,
    ...                       CorrectionRule(50.0, common_mode=False))
    >>> found.values.tolist(), found.gain.tolist(), found.mask.tolist(), found.pixels.tolist()
    ([[6.0, nan]], [[1, 0]], [[0, 8]], [1, 1, 0, 1])
    """
    shape = analog.shape
    values, gain, mask = into or (
        np.empty(shape, np.float32),
        np.empty(shape, np.uint8),
        np.empty(shape, np.uint32),
    )
    _scale(analog, digital, constants, rule, values, gain, mask)
    side = rule.chip_pixels
    shifts = np.zeros((-(-shape[0] // side), -(-shape[1] // side)), np.float32)
    bits = np.uint32(rule.bad_bits)
    if rule.common_mode:
        half = np.float32(rule.photon_adu / 2)
        least = rule.least_dark_pixels
        find_medians(values, gain, mask, bits, half, least, side, shifts)
    pixels = np.zeros(4, np.int64)
    total = finish_values(values, gain, mask, bits, side, shifts, pixels)
    return CorrectedFrame(values, gain, mask, pixels, float(total))


def _scale(
    analog: NDArray[np.integer[Any]],
    digital: NDArray[np.integer[Any]],
    constants: CellConstants,
    rule: CorrectionRule,
    values: NDArray[np.float32],
    gain: NDArray[np.uint8],
    mask: NDArray[np.uint32],
) -> None:
    scale_values(
        analog.reshape(-1),
        digital.reshape(-1),
        constants.offset.reshape(3, -1),
        constants.relative_gain.reshape(3, -1),
        constants.thresholds.reshape(2, -1),
        constants.bad_pixels.reshape(3, -1),
        constants.divided,
        np.float32(rule.wrong_word),
        values.reshape(-1),
        gain.reshape(-1),
        mask.reshape(-1),
    )


def spread_of(
    frame: CorrectedFrame, constants: CellConstants, photon_adu: float
) -> NDArray[np.float32]:
    """Give the standard deviation of each value, float32; NaN where there is no value.

    Its square is (noise[g] * relative_gain[g])² + max(y, 0) * photon_adu: readout, and the chance
    of photons. Where values are divided by the gain, the noise is so too.

    Parameters
    ----------
    constants
        Of the memory cell; their noise is known.
    """
    spread = np.empty(frame.values.shape, np.float32)
    if constants.noise is None:
        spread.fill(np.nan)
        return spread
    spread_values(
        frame.values.reshape(-1),
        frame.gain.reshape(-1),
        constants.noise.reshape(3, -1),
        constants.relative_gain.reshape(3, -1),
        constants.divided,
        np.float32(photon_adu),
        spread.reshape(-1),
    )
    return spread


def count_photons(values: NDArray[np.float32], photon_adu: float) -> NDArray[np.uint16]:
    """Round values to photons: floor(y / photon_adu + 0.5) in float32, none below 0.

    Where there is no value stands `NO_PHOTONS`, and never more than one below it elsewhere.

    Examples
    --------
    >>> count_photons(np.array([-90, 24, 25, 120, np.nan, 1e9], "f4"), 50.0).tolist()
    [0, 0, 1, 2, 65535, 65534]
    """
    counts = np.empty(values.shape, np.uint16)
    round_values(values.reshape(-1), np.float32(photon_adu), counts.reshape(-1))
    return counts
