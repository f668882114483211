"""The pixel detector of a mock run: modules and gaps, pixel size, the bits of its mask."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray


class PixelMaskBit(IntFlag):
    """The bits of NeXus ``NXdetector/pixel_mask`` that mock files set; a pixel is good at 0."""

    GAP = 1 << 0
    """No pixel there: between two modules."""
    DEAD = 1 << 1
    """Counts nothing."""
    NOISY = 1 << 4
    """Counts without light (a hot pixel)."""
    USER = 1 << 8
    """Masked by somebody, for instance around the beamstop."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector of equal modules with gaps between; by default an EIGER 1M.

    The EIGER family is made of modules of 514 x 1030 pixels, 37 rows and 10 columns apart, so
    ``shape`` alone makes the others, for instance (2167, 2070), the 4M.

    Examples
    --------
    >>> int(Detector().gaps().sum()) == 37 * 1030
    True
    """

    shape: tuple[int, int] = (1065, 1030)
    """Rows and columns of a frame (Y, X)."""
    module_shape: tuple[int, int] = (514, 1030)
    """Rows and columns of one module."""
    gap_shape: tuple[int, int] = (37, 10)
    """Rows between modules one above the other, columns between modules side by side."""
    pixel_size_m: float = 75e-6
    """Edge of a square pixel."""
    description: str = "Dectris EIGER 1M"
    """What the detector calls itself."""
    detector_number: str = "E-02-0100"
    """Its serial number."""
    sensor_material: str = "Si"
    """Chemical symbol of the sensor."""
    sensor_thickness_m: float = 4.5e-4
    """Thickness of the sensor."""

    def gaps(self) -> NDArray[np.bool_]:
        """Give where there is no pixel: bool (Y, X)."""
        rows, columns = (
            np.arange(extent) % (module + gap) >= module
            for extent, module, gap in zip(
                self.shape, self.module_shape, self.gap_shape, strict=True
            )
        )
        return rows[:, np.newaxis] | columns[np.newaxis, :]

    def gap_mask(self) -> NDArray[np.uint32]:
        """Give the pixel mask of a flawless detector: uint32 (Y, X), bit 0 in the gaps."""
        return np.where(self.gaps(), np.uint32(PixelMaskBit.GAP), np.uint32(0))
