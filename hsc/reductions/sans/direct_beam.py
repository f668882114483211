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
) -> tuple[NDArray[np.float64], list[str]]:
    """Give the direct beam function at wavelengths, linear between its points; 1 without one.

    Its errors are left out, as esssans leaves them out where it interpolates. Warnings say where
    it was drawn out beyond its points.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        It lacks, has no unit of length, is not of ascending wavelengths, or not above zero.
    """
    if dataset is None:
        return np.ones(len(wavelengths)), []
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
    found = interpolate(x, y, wavelengths)
    wrong = np.flatnonzero(~((found > 0) & np.isfinite(found)))
    if len(wrong):
        raise ReductionError(
            f"the direct beam function is {found[wrong[0]]:.4g} at "
            f"{wavelengths[wrong[0]]:.4g} angstrom; its points reach from {x[0]:.4g} to "
            f"{x[-1]:.4g}, and it goes on straight beyond them",
            where=where,
            next_step="give a direct beam of all wavelengths, or narrow "
            "-p wavelength_min_angstrom and wavelength_max_angstrom",
        )
    beyond = int(((wavelengths < x[0]) | (wavelengths > x[-1])).sum())
    said = (
        f"the direct beam function has points from {x[0]:.4g} to {x[-1]:.4g} angstrom only, and "
        f"was drawn out straight to {beyond} of {len(wavelengths)} bins of wavelength"
    )
    return found, [said] if beyond else []
