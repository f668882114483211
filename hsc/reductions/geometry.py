"""Where detector, beam and sample were: scattering vector and solid angle of every pixel."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError
from hsc.reductions.pyfai_log import calm_pyfai

RadialUnit = Literal[
    "q_nm^-1", "q_A^-1", "2th_deg", "2th_rad", "r_mm", "d_nm", "d_A", "d*2_nm^-2", "d*2_A^-2"
]
"""What a radial axis may be in, by pyFAI's names."""

# h c in keV · angstrom, exact by the definition of the SI (CGPM 2018).
_KEV_ANGSTROM = 6.62607015e-34 * 299792458.0 / 1.602176634e-19 * 1e7


@dataclass(frozen=True, slots=True)
class Geometry:
    """A detector and the beam, by pyFAI's numbers (PONI).

    The point of normal incidence, ``poni1`` along the columns (slow axis) and ``poni2`` along the
    rows, is counted in metres from the outer corner of the first pixel. The detector is turned
    about it by three rotations, in this order: ``rot1`` about the vertical axis, ``rot2`` about
    the horizontal one, ``rot3`` about the beam (J. Kieffer and others, J. Synchrotron Rad. 2025,
    and pyFAI's documentation of its geometry).
    """

    shape: tuple[int, int]
    """Rows and columns of a frame."""
    distance_m: float
    """Sample to detector, along the normal of the detector, m."""
    wavelength_m: float
    """Wavelength of the beam, m."""
    poni1_m: float
    """Point of normal incidence along the columns (slow axis), m."""
    poni2_m: float
    """Point of normal incidence along the rows (fast axis), m."""
    x_pixel_size_m: float
    """Pixel size along the rows, m."""
    y_pixel_size_m: float
    """Pixel size along the columns, m."""
    rot1_rad: float = 0.0
    """First rotation, rad."""
    rot2_rad: float = 0.0
    """Second rotation, rad."""
    rot3_rad: float = 0.0
    """Third rotation, rad."""
    orientation: int = 3
    """Corner that the point is counted from: 1 last row and last column, 2 last row,
    3 first row and first column, 4 last column (pyFAI's numbers, after EXIF)."""
    detector_name: str | None = None
    """pyFAI's name of the detector, which brings its gaps and odd pixels; None: plain pixels."""

    @property
    def wavelength_angstrom(self) -> float:
        """The wavelength in angstrom, rounded to twelve digits: for people and for files."""
        return float(f"{self.wavelength_m * 1e10:.12g}")

    @property
    def energy_keV(self) -> float:  # noqa: N802 - the unit is written so
        """The energy of a photon in keV, rounded to twelve digits."""
        return float(f"{_KEV_ANGSTROM / (self.wavelength_m * 1e10):.12g}")

    @property
    def pixel_solid_angle_sr(self) -> float:
        """The solid angle of a pixel at the point of normal incidence, sr."""
        return self.x_pixel_size_m * self.y_pixel_size_m / self.distance_m**2

    @property
    def beam_center_x_pixels(self) -> float:
        """Where the direct beam would hit, along the rows; the middle of the first pixel is 0.5."""
        return (self.poni2_m - self.distance_m * math.tan(self.rot1_rad)) / self.x_pixel_size_m

    @property
    def beam_center_y_pixels(self) -> float:
        """Where the direct beam would hit, along the columns."""
        tilt = math.tan(self.rot2_rad) / math.cos(self.rot1_rad)
        return (self.poni1_m + self.distance_m * tilt) / self.y_pixel_size_m

    def document(self) -> dict[str, Any]:
        """Give the geometry as plain JSON values."""
        return {**asdict(self), "shape": list(self.shape)}

    def q_per_nm(self) -> NDArray[np.float64]:
        """Give the scattering vector q = 4π sin θ / λ at the middle of each pixel, in 1/nm."""
        return self.radial("q_nm^-1")

    def radial(self, unit: RadialUnit) -> NDArray[np.float64]:
        """Give the radial coordinate at the middle of each pixel, in a unit by pyFAI's name."""
        found = self.integrator().center_array(shape=self.shape, unit=unit)
        return np.asarray(found, dtype=np.float64)

    def largest(self, unit: RadialUnit) -> float:
        """Give the largest radial coordinate of a pixel's middle; worked out once in a process."""
        return _largest(self, unit)

    def solid_angle(self) -> NDArray[np.float64]:
        """Give the solid angle of each pixel relative to normal incidence, cos³ of the angle."""
        return np.asarray(self.integrator().solidAngleArray(self.shape), dtype=np.float64)

    def polarization(self, factor: float, axis_offset_rad: float = 0.0) -> NDArray[np.float32]:
        """Give the polarisation correction of each pixel; ``factor`` 1 is fully horizontal."""
        found = self.integrator().polarization(
            self.shape, factor=factor, axis_offset=axis_offset_rad
        )
        return np.asarray(found, dtype=np.float32)

    def gaps(self) -> NDArray[np.bool_] | None:
        """Give the pixels that a named detector does not have; None: it has all."""
        mask = self.integrator().detector.mask
        return None if mask is None else np.asarray(mask, dtype=np.bool_)

    def integrator(self) -> Any:
        """Give pyFAI's own integrator for this geometry.

        Raises
        ------
        ParameterError
            pyFAI does not know the detector, or its frames have another shape.
        """
        calm_pyfai()
        # pyFAI costs seconds to import; only a worker that builds a table pays.
        from pyFAI.integrator.azimuthal import AzimuthalIntegrator

        return AzimuthalIntegrator(
            dist=self.distance_m,
            poni1=self.poni1_m,
            poni2=self.poni2_m,
            rot1=self.rot1_rad,
            rot2=self.rot2_rad,
            rot3=self.rot3_rad,
            detector=self._detector(),
            wavelength=self.wavelength_m,
        )

    def _detector(self) -> Any:
        # Heavy, as above.
        from pyFAI.detectors import Detector

        if self.detector_name is None:
            return Detector(
                pixel1=self.y_pixel_size_m,
                pixel2=self.x_pixel_size_m,
                max_shape=self.shape,
                orientation=self.orientation,
            )
        detector = named_detector(self.detector_name, self.orientation)
        if tuple(detector.max_shape) != self.shape:
            raise ParameterError(
                f"detector_name is {self.detector_name!r}, whose frames have the shape "
                f"{tuple(detector.max_shape)}; these have {self.shape}",
                next_step="give the detector's own name, or no name and its pixel sizes",
            )
        return detector


@lru_cache(64)
def _largest(geometry: Geometry, unit: RadialUnit) -> float:
    return float(geometry.radial(unit).max())


def named_detector(name: str, orientation: int) -> Any:
    """Give a detector that pyFAI knows by name.

    Raises
    ------
    ParameterError
        pyFAI knows no detector of this name, or it has no fixed shape.
    """
    # Heavy: see Geometry.integrator.
    from pyFAI.detectors import ALL_DETECTORS

    # By its table, never by `detector_factory`, which would open a file of that name.
    kind = ALL_DETECTORS.get(name.lower()) or ALL_DETECTORS.get(name.lower().replace(" ", "_"))
    if kind is None or getattr(kind, "MAX_SHAPE", None) is None:
        raise ParameterError(
            f"detector_name is {name!r}, which pyFAI does not know as a detector of fixed shape",
            next_step="give a name as in Eiger_4M, or no name and the pixel sizes",
        )
    return kind(orientation=orientation)
