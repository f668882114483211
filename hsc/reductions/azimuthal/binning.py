"""Everything that decides which pixel counts where, and with which weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.model import canonical_json
from hsc.reductions.azimuthal.pictures import Mask, Picture
from hsc.reductions.geometry import Geometry, RadialUnit

Splitting = Literal["no", "bbox", "full"]
"""Whether a pixel counts wholly where its middle lies, or is split by bounding box or by area."""

SlabUnit = Literal["qx_nm^-1", "qx_A^-1", "qy_nm^-1", "qy_A^-1"]
"""Components of the scattering vector that a slab is along."""

AxisUnit = Literal[RadialUnit, SlabUnit]
"""What a radial axis may be in, slabs' among them."""

# pyFAI widens the upper end of a range by one step of float32, so that the last bin includes it.
_WIDER = 1.0 + float(np.finfo(np.float32).eps)
# What pyFAI's units are to those that it works in (nm, rad, m), by its own numbers.
SCALES: dict[str, float] = {
    "q_nm^-1": 1.0,
    "q_A^-1": 0.1,
    "2th_deg": 180.0 / math.pi,
    "2th_rad": 1.0,
    "r_mm": 1000.0,
    "d_nm": 1e9,
    "d_A": 1e10,
    "d*2_nm^-2": 1.0,
    "d*2_A^-2": 0.01,
    "qx_nm^-1": 1.0,
    "qx_A^-1": 0.1,
    "qy_nm^-1": 1.0,
    "qy_A^-1": 0.1,
}


@dataclass(frozen=True, slots=True)
class Binning:
    """What decides a table; small enough to travel with each task."""

    geometry: Geometry
    """Where detector, beam and sample were."""
    bins: int
    """Number of radial bins, all equal."""
    radial_min: float
    """Lower edge of the first bin, in the radial unit."""
    radial_max: float
    """Upper edge of the last bin, which includes it."""
    radial_unit: AxisUnit = "q_nm^-1"
    """What the radial axis is in; a component of the scattering vector: of a slab."""
    azimuthal_bins: int = 0
    """Number of azimuthal bins of a cake; 0: a curve."""
    chi_deg: tuple[float, float] | None = None
    """Range of the azimuth, degrees; None: all (of a cake, -180 to 180)."""
    splitting: Splitting = "no"
    """How pixels are split among bins."""
    solid_angle: bool = True
    """Whether intensities are divided by the pixels' solid angle."""
    polarization_factor: float | None = None
    """Degree of polarisation that is corrected for; None: no correction."""
    polarization_axis_rad: float = 0.0
    """Angle between the axis of polarisation and the detector's rows."""
    masks: tuple[Mask, ...] = ()
    """Bad pixels; any of them excludes."""
    flat: Picture | None = None
    """How much each pixel counts; where it is 0 or no number, the pixel is bad."""
    dark: Picture | None = None
    """What is subtracted; where it is no number, the pixel is bad."""
    dark_scale: float = 1.0
    """What the dark is multiplied by: the ratio of exposures."""
    slab: tuple[float, float] | None = None
    """Range of the component across a slab, in the radial unit; None: all, or no slab."""

    @property
    def size(self) -> int:
        """Number of all bins, radial times azimuthal."""
        return self.bins * max(1, self.azimuthal_bins)

    @property
    def scale(self) -> float:
        """What numbers of the radial unit are to those that pyFAI works in."""
        return SCALES[self.radial_unit]

    @property
    def azimuth(self) -> tuple[float, float] | None:
        """The range of the azimuth, degrees; None: there is none."""
        if self.chi_deg is None and self.azimuthal_bins:
            return (-180.0, 180.0)
        return self.chi_deg

    @property
    def dark_variance_scale(self) -> float:
        """What the variance of the dark is to what is subtracted: D = s Σd / n has s D / n."""
        return self.dark_scale / (1 if self.dark is None else self.dark.frames)

    @property
    def along_component(self) -> bool:
        """Whether the bins are those of a slab."""
        return self.radial_unit.startswith(("qx", "qy"))

    def edges(self) -> NDArray[np.float64]:
        """Give the edges of the radial bins, shape (bins + 1,), in the radial unit, as pyFAI's."""
        low, high = self.radial_min / self.scale, self.radial_max / self.scale
        return np.linspace(low, _upper(high), self.bins + 1) * self.scale

    def centers(self) -> NDArray[np.float64]:
        """Give the middles of the radial bins, shape (bins,), bit for bit as pyFAI's."""
        low, high = self.radial_min / self.scale, _upper(self.radial_max / self.scale)
        step = (high - low) / self.bins
        return np.linspace(low + 0.5 * step, high - 0.5 * step, self.bins) * self.scale

    def azimuthal_edges_deg(self) -> NDArray[np.float64]:
        """Give the edges of a cake's azimuthal bins, degrees, ascending."""
        low, high = self.azimuth or (-180.0, 180.0)
        high = high if high > low else high + 360.0
        return np.linspace(low, _upper(high), self.azimuthal_bins + 1)

    def key(self) -> str:
        """Give the digest that tables are kept under: the same key, the same table."""
        return blake3(canonical_json(self.document())).hexdigest()

    def document(self) -> dict[str, Any]:
        """Give everything that decides the table as plain JSON values."""
        return {
            "geometry": self.geometry.document(),
            "bins": self.bins,
            "radial_unit": self.radial_unit,
            "radial_min": self.radial_min,
            "radial_max": self.radial_max,
            "azimuthal_bins": self.azimuthal_bins,
            "chi_deg": None if self.azimuth is None else list(self.azimuth),
            "pixel_splitting": self.splitting,
            "solid_angle": self.solid_angle,
            "polarization_factor": self.polarization_factor,
            "polarization_axis_rad": self.polarization_axis_rad,
            "masks": [mask.digest for mask in self.masks],
            "flat": None if self.flat is None else self.flat.digest,
            "dark": None if self.dark is None else self.dark.digest,
            "dark_scale": self.dark_scale,
            **({} if self.slab is None else {"slab": list(self.slab)}),
        }


def _upper(high: float) -> float:
    return high * _WIDER if high > 0 else high / _WIDER
