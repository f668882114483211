"""The direct beam function: how detectors see each wavelength beside the incident monitor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.reductions.base import SourceDataset, array_for
from hsc.reductions.sans.places import si_factor
from hsc.reductions.sans.spectrum import interpolate


def direct_beam_at(
    dataset: SourceDataset | None, wavelengths: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the direct beam function at wavelengths, linear between its points; 1 without one.

    Its errors are left out, as esssans leaves them out where it interpolates.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        It lacks, has no unit of length, or is not of ascending wavelengths.
    """
    if dataset is None:
        return np.ones(len(wavelengths))
    axis = array_for(dataset, "wavelength", "has the wavelengths of the direct beam, in angstrom")
    values = array_for(dataset, "intensity", "has the direct beam function")
    where = f"{dataset.record.pid}, {axis.path}"
    x = np.asarray(axis.read(), np.float64).ravel()
    x = x * (si_factor(axis, "[length]^1", "angstrom", where) * 1e10)
    y = np.asarray(values.read(), np.float64).ravel()
    x = (x[1:] + x[:-1]) / 2 if len(x) == len(y) + 1 else x
    if len(x) != len(y) or len(x) < 2 or not (np.diff(x) > 0).all():
        raise ReductionError(
            f"{len(y)} values of the direct beam at {len(x)} wavelengths; two or more at ascending "
            "wavelengths are needed",
            where=where,
        )
    return interpolate(x, y, wavelengths)
