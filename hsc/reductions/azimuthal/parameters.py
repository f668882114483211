"""What can be set about the integration of frames, with units and defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hsc.errors import ParameterError
from hsc.kernels import ErrorModel
from hsc.reductions.azimuthal.binning import AxisUnit, Splitting
from hsc.reductions.poni import GeometryParameters

_CIRCLE_DEG = 360.0
_PER_NM = {"q_nm^-1": 1.0, "q_A^-1": 0.1}


class IntegrationParameters(GeometryParameters):
    """How frames are summed into bins."""

    bins: int = Field(default=1000, ge=1, le=1_000_000)
    """Number of radial bins, all equal."""
    radial_unit: AxisUnit = "q_nm^-1"
    """What the radial axis is in, by pyFAI's names; qx and qy: slabs along one component."""
    radial_min: float | None = None
    """Lower edge of the first bin, in the radial unit; None: 0, of a slab the smallest there is."""
    radial_max: float | None = None
    """Upper edge of the last bin, in the radial unit; None: the largest on the detector."""
    q_min_per_nm: float | None = Field(default=None, ge=0)
    """The same as radial_min, 1/nm, for an axis in q."""
    q_max_per_nm: float | None = Field(default=None, gt=0)
    """The same as radial_max, 1/nm, for an axis in q."""
    slab_min: float | None = None
    """Where the range across a slab begins, of qy for one along qx, in the radial unit; None: at
    the detector's end."""
    slab_max: float | None = None
    """Where it ends; a pixel whose middle is just there is not in it."""
    chi_min_deg: float | None = Field(default=None, ge=-360, le=360)
    """Where the range of the azimuth begins, degrees from the horizontal; None: all around."""
    chi_max_deg: float | None = Field(default=None, ge=-360, le=540)
    """Where it ends; both or none are given. Below chi_min_deg: it ends one turn later."""
    splitting: Splitting = "no"
    """Whether a pixel counts where its middle lies (no), or is split by bbox or full area."""
    error_model: ErrorModel = "poisson"
    """Where variances come from: poisson, max(1, counts); variance, the array with this role;
    azimuthal, the spread within each bin; none."""
    normalization: Literal["ratio_of_sums", "mean_of_ratios"] = "ratio_of_sums"
    """I as pyFAI defines it, or as MAX IV's azint does (pyFAI's unweighted mean)."""
    solid_angle: bool = True
    """Divide by the pixels' solid angle, cos³ 2θ."""
    polarization_factor: float | None = Field(default=None, ge=-1, le=1)
    """Correct for polarisation, 1 fully horizontal; None: no correction."""
    polarization_axis_deg: float = 0.0
    """Angle from the axis of polarisation to the detector's rows, degrees, as pyFAI counts it: an
    axis at the azimuth 30° is -30."""
    saturation_counts: float | None = Field(default=None, gt=0)
    """Counts from which a pixel is left out; None: as the dataset says."""
    lowest_counts: float | None = None
    """Counts below which a pixel is left out; None: 0 for integers, whose negative numbers mark
    bad pixels, and no limit for floating-point numbers."""
    normalization_factor: float = Field(default=1.0, gt=0)
    """What all intensities are divided by, as pyFAI has it."""
    monitor: bool = False
    """Divide each frame by its monitor, the array with this role."""
    dark_scale: float | None = Field(default=None, gt=0)
    """What the dark is multiplied by; None: the ratio of exposures, or 1 where unknown."""
    dark_variance: bool = True
    """Add the dark to Poisson variances. pyFAI does so in its histograms, not in its sparse
    engines."""

    def radial_range(self) -> tuple[float | None, float | None]:
        """Give the range of the axis in its own unit, as far as it is given.

        Raises
        ------
        ParameterError
            Both names of one limit are given, or q for an axis in something else.
        """
        limits = []
        for end in ("min", "max"):
            own, q = getattr(self, f"radial_{end}"), getattr(self, f"q_{end}_per_nm")
            if q is not None and (own is not None or self.radial_unit not in _PER_NM):
                raise ParameterError(
                    f"q_{end}_per_nm is {q!r}, beside an axis in {self.radial_unit}"
                    + ("" if own is None else f" and radial_{end}, {own!r}"),
                    next_step=f"give -p radial_{end}=... alone, in {self.radial_unit}",
                )
            limits.append(own if q is None else q * _PER_NM[self.radial_unit])
        return limits[0], limits[1]

    def azimuth(self) -> tuple[float, float] | None:
        """Give the range of the azimuth, degrees; None: all around.

        Raises
        ------
        ParameterError
            Only one end is given, nothing lies between them, or more than a full turn.
        """
        low, high = self.chi_min_deg, self.chi_max_deg
        if low is None and high is None:
            return None
        if low is None or high is None:
            raise ParameterError(
                f"chi_min_deg is {low!r} and chi_max_deg is {high!r}",
                next_step="give both ends, in degrees, or none for all around",
            )
        # What ends one turn later than its beginning less one turn ends where it begins.
        nothing = low == high or low - high == _CIRCLE_DEG
        if nothing or abs(high - low) > _CIRCLE_DEG:
            raise ParameterError(
                f"chi_min_deg is {low!r} and chi_max_deg is {high!r}: "
                f"{'nothing lies between them' if nothing else 'that is more than one turn'}",
                next_step="give two ends not more than 360 degrees apart, or none for all around",
            )
        return low, high
