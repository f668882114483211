"""Where detector, beam and sample were: scattering vector and solid angle of every pixel."""

from __future__ import annotations

import logging
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError
from hsc.model import Record
from hsc.reductions.base import SourceDataset
from hsc.reductions.numbers import Kind, Sought, find_number


class GeometryParameters(Record):
    """Numbers of the geometry; each that is None is taken from the dataset's own metadata."""

    distance_m: float | None = Field(default=None, gt=0)
    """Sample to detector, m."""
    wavelength_m: float | None = Field(default=None, gt=0)
    """Wavelength of the beam, m."""
    beam_center_x_pixels: float | None = None
    """Beam centre along the rows (fast axis), pixels; the middle of the first pixel is 0.5."""
    beam_center_y_pixels: float | None = None
    """Beam centre along the columns (slow axis), pixels."""
    x_pixel_size_m: float | None = Field(default=None, gt=0)
    """Pixel size along the rows, m."""
    y_pixel_size_m: float | None = Field(default=None, gt=0)
    """Pixel size along the columns, m."""
    orientation: int = Field(default=3, ge=1, le=4)
    """Corner that the beam centre is counted from, as pyFAI numbers it: 3 is the first pixel."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """A flat detector at right angles to the beam.

    Beam centres are counted in pixels from the outer corner of the first pixel, so that its
    middle is at 0.5: the convention of pyFAI and Fit2D. ``beam_center_x`` and ``beam_center_y``
    of DECTRIS files are taken to mean the same. The point of normal incidence is then
    poni1 = y · y_pixel_size, poni2 = x · x_pixel_size.
    """

    shape: tuple[int, int]
    """Rows and columns of a frame."""
    distance_m: float
    """Sample to detector, m."""
    wavelength_m: float
    """Wavelength of the beam, m."""
    beam_center_x_pixels: float
    """Beam centre along the rows (fast axis)."""
    beam_center_y_pixels: float
    """Beam centre along the columns (slow axis)."""
    x_pixel_size_m: float
    """Pixel size along the rows, m."""
    y_pixel_size_m: float
    """Pixel size along the columns, m."""
    orientation: int = 3
    """Corner that the beam centre is counted from: 1 last row and last column, 2 last row,
    3 first row and first column, 4 last column (pyFAI's numbers, after EXIF)."""

    @property
    def wavelength_angstrom(self) -> float:
        """The wavelength in angstrom, rounded to twelve digits: for people and for files."""
        return float(f"{self.wavelength_m * 1e10:.12g}")

    def document(self) -> dict[str, Any]:
        """Give the geometry as plain JSON values."""
        return {**asdict(self), "shape": list(self.shape)}

    def q_per_nm(self) -> NDArray[np.float64]:
        """Give the scattering vector q = 4π sin θ / λ at the middle of each pixel, in 1/nm."""
        q = self._integrator().center_array(shape=self.shape, unit="q_nm^-1")
        return np.asarray(q, dtype=np.float64)

    def solid_angle(self) -> NDArray[np.float64]:
        """Give the solid angle of each pixel, cos³ 2θ, relative to normal incidence."""
        return np.asarray(self._integrator().solidAngleArray(self.shape), dtype=np.float64)

    def polarization(self, factor: float) -> NDArray[np.float64]:
        """Give the polarisation correction of each pixel; ``factor`` 1 is fully horizontal."""
        return np.asarray(
            self._integrator().polarization(self.shape, factor=factor), dtype=np.float64
        )

    def _integrator(self) -> Any:
        # pyFAI warns that OpenCL is absent; nothing here would use it.
        logging.getLogger("silx.opencl").setLevel(logging.ERROR)
        # pyFAI costs seconds to import; only a worker that builds a table pays.
        from pyFAI.detectors import Detector
        from pyFAI.integrator.azimuthal import AzimuthalIntegrator

        detector = Detector(
            pixel1=self.y_pixel_size_m,
            pixel2=self.x_pixel_size_m,
            max_shape=self.shape,
            orientation=self.orientation,
        )
        return AzimuthalIntegrator(
            dist=self.distance_m,
            poni1=self.beam_center_y_pixels * self.y_pixel_size_m,
            poni2=self.beam_center_x_pixels * self.x_pixel_size_m,
            detector=detector,
            wavelength=self.wavelength_m,
        )


def geometry_of(
    dataset: SourceDataset, shape: tuple[int, int], given: GeometryParameters
) -> Geometry:
    """Collect the geometry of a dataset; given parameters go before its own metadata.

    Raises
    ------
    RoleMissingError
        A number is neither given nor in the dataset.
    ParameterError
        A number is impossible, or its unit is not understood.
    """

    def positive(name: str, role: str, unit: str, kind: Kind) -> float:
        value = find_number(dataset, getattr(given, name), Sought(name, role, unit, kind))
        if not (math.isfinite(value) and value > 0):
            raise ParameterError(
                f"{name} is {value!r}, which is impossible",
                where=f"{dataset.record.pid}, role {role}",
                next_step=f"give it: -p {name}=...",
            )
        return value

    x_size = positive("x_pixel_size_m", "x_pixel_size", "m", "length")
    y_size = positive("y_pixel_size_m", "y_pixel_size", "m", "length")
    x = Sought("beam_center_x_pixels", "beam_center_x", "pixel", "pixels", pixel_m=x_size)
    y = Sought("beam_center_y_pixels", "beam_center_y", "pixel", "pixels", pixel_m=y_size)
    return Geometry(
        shape=shape,
        distance_m=positive("distance_m", "distance", "m", "length"),
        wavelength_m=positive("wavelength_m", "wavelength", "angstrom", "wavelength"),
        beam_center_x_pixels=find_number(dataset, given.beam_center_x_pixels, x),
        beam_center_y_pixels=find_number(dataset, given.beam_center_y_pixels, y),
        x_pixel_size_m=x_size,
        y_pixel_size_m=y_size,
        orientation=given.orientation,
    )
