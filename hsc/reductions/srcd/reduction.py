"""Circular dichroism: scans averaged, baseline taken off, zeroed, in molar units, flagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError, RoleMissingError
from hsc.model import Quantity
from hsc.reductions.base import Input, Inputs, Outputs, Reduction
from hsc.reductions.srcd.averages import Average, average, subtracted, zeroed
from hsc.reductions.srcd.molar import Factor, MolarParameters, Per, Unit, factor
from hsc.reductions.srcd.scans import Scan, aligned, scans_of
from hsc.reductions.srcd.text import text_file
from hsc.reductions.srcd.tree import Curve, srcd_tree
from hsc.workers import Progress, Workers

_VERSION = "1"
_ORDER = "scan-order-f64/v1"


class SrcdParameters(MolarParameters):
    """What comes out, and what is believed; what the sample was."""

    unit: Unit = "mdeg"
    """Of the result: ``mdeg``, ``delta_epsilon`` or ``mean_residue_ellipticity``."""
    per: Per = "residue"
    """What delta epsilon is counted by: ``residue`` (N - 1 of them) or ``molecule``."""
    sample_group: str | None = None
    """Which scan is the sample's in HDF5 files that have several: the name of its group."""
    baseline_group: str | None = None
    """Which one is the baseline's; the files may be the same."""
    grids: Literal["same", "interpolate"] = "same"
    """``same`` refuses scans of other wavelengths, ``interpolate`` puts them linearly on those of
    the first."""
    zero: bool = False
    """Whether the mean between the two wavelengths below is made zero."""
    zero_min_nm: float = Field(default=260.0, gt=0)
    """Lower end of that range, included."""
    zero_max_nm: float = Field(default=270.0, gt=0)
    """Upper end, included."""
    ht_max_v: float | None = Field(default=None, gt=0)
    """Points are flagged where any scan had a higher tension, V; None: not looked at."""
    absorbance_max: float | None = Field(default=None, gt=0)
    """Points are flagged where any scan had a higher absorbance; None: not looked at."""


@dataclass(frozen=True, slots=True)
class _Flags:
    beyond: NDArray[np.bool_]
    ht_v: NDArray[np.float64] | None


def reduce_srcd(
    inputs: Inputs, parameters: SrcdParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Average scans, subtract the average of baseline scans, zero, convert, flag.

    Raises
    ------
    ParameterError
        The unit needs numbers that nobody gave.
    RoleMissingError, ReductionError
        Scans lack what is needed, or do not fit together.
    """
    if parameters.sample_group == parameters.baseline_group:
        inputs.check_unlike("sample", "baseline")
    if parameters.zero_min_nm > parameters.zero_max_nm:
        raise ParameterError(
            f"zero_min_nm is {parameters.zero_min_nm:g}, above zero_max_nm, "
            f"{parameters.zero_max_nm:g}",
            next_step="give the lower one first",
        )
    conversion = factor(parameters.unit, parameters.per, parameters)
    samples = scans_of(inputs.every("sample"), parameters.sample_group)
    baselines = scans_of(inputs.every("baseline"), parameters.baseline_group)
    both = aligned((*samples, *baselines), interpolate=parameters.grids == "interpolate")
    samples, baselines = both[: len(samples)], both[len(samples) :]
    grid = samples[0].wavelength_nm
    averaged = average([scan.ellipticity_mdeg for scan in samples])
    baseline = average([scan.ellipticity_mdeg for scan in baselines]) if baselines else None
    corrected, offset = subtracted(averaged, baseline), 0.0
    if parameters.zero:
        corrected, offset = zeroed(corrected, grid, parameters.zero_min_nm, parameters.zero_max_nm)
    flags = _flags(both, samples, parameters)
    curve = Curve(
        grid, averaged, baseline, corrected, _converted(corrected, conversion), flags.beyond,
        flags.ht_v, parameters.unit,
    )  # fmt: skip
    return _outputs(inputs, parameters, curve, conversion, offset)


def _outputs(
    inputs: Inputs, parameters: SrcdParameters, curve: Curve, conversion: Factor, offset: float
) -> Outputs:
    record = inputs.every("sample")[0].record
    name = record.sample or record.title
    lowest = _lowest_unflagged(curve)
    results: dict[str, Any] = {
        "scans": curve.sample.scans,
        "baseline_scans": curve.baseline.scans if curve.baseline else 0,
        "points": len(curve.wavelength_nm),
        "wavelength_min_nm": float(curve.wavelength_nm[0]),
        "wavelength_max_nm": float(curve.wavelength_nm[-1]),
        "flagged_points": int(curve.beyond.sum()),
        "unit": parameters.unit,
        "factor": conversion.value,
        "formula": conversion.formula,
    }
    if parameters.zero:
        results["zero_offset_mdeg"] = offset
    if lowest is not None:
        results["wavelength_min_unflagged_nm"] = lowest
    document = parameters.document()
    return Outputs(
        tree=srcd_tree(curve, record.instrument, document, conversion.formula, _VERSION, _ORDER),
        results=results,
        quantities={
            "wavelength_min": Quantity(value=float(curve.wavelength_nm[0]), unit="nm"),
            "wavelength_max": Quantity(value=float(curve.wavelength_nm[-1]), unit="nm"),
            **_sample_quantities(parameters),
        },
        title=f"{name}: circular dichroism, {curve.sample.scans} scans",
        technique="SRCD",
        files={"srcd.txt": text_file(curve, record.sample, document, conversion.formula)},
    )


def _converted(curve: Average, conversion: Factor) -> Average:
    if conversion.value == 1.0:
        return curve
    return Average(curve.values * conversion.value, curve.errors * conversion.value, curve.scans)


def _flags(scans: Sequence[Scan], samples: Sequence[Scan], parameters: SrcdParameters) -> _Flags:
    """Tell which points lie beyond a cut-off in any scan, and the samples' mean tension."""
    beyond = np.zeros(len(scans[0].wavelength_nm), np.bool_)
    for name, role, most in (
        ("ht_v", "ht", parameters.ht_max_v),
        ("absorbance", "absorbance", parameters.absorbance_max),
    ):
        if most is None:
            continue
        for scan in scans:
            values = getattr(scan, name)
            if values is None:
                raise RoleMissingError(
                    f"no array has the role {role!r}, which the cut-off looks at",
                    where=scan.name,
                    next_step="leave the cut-off out, or give scans that recorded it",
                )
            beyond |= ~(values <= most)  # what is no number is beyond as well
    tensions = [scan.ht_v for scan in samples if scan.ht_v is not None]
    mean = average(tensions).values if len(tensions) == len(samples) else None
    return _Flags(beyond, mean)


def _lowest_unflagged(curve: Curve) -> float | None:
    """Give the lowest wavelength from which on no point up to the longest is flagged; else None."""
    flagged = np.flatnonzero(curve.beyond)
    after = int(flagged[-1]) + 1 if len(flagged) else 0
    return float(curve.wavelength_nm[after]) if after < len(curve.wavelength_nm) else None


def _sample_quantities(parameters: SrcdParameters) -> dict[str, Quantity]:
    said = {
        "path_length": (parameters.path_cm, "cm"),
        "concentration": (
            (parameters.concentration_mg_per_ml, "mg/mL")
            if parameters.concentration_mg_per_ml is not None
            else (parameters.concentration_mol_per_l, "mol/L")
        ),
    }
    return {
        name: Quantity(value=value, unit=unit)
        for name, (value, unit) in said.items()
        if value is not None
    }


SRCD = Reduction(
    name="srcd",
    version=_VERSION,
    summary="circular dichroism: scans averaged, baseline subtracted, in molar units, with errors",
    inputs=(
        Input("sample", "scans of the sample", many=True),
        Input("baseline", "scans of the cell with buffer", required=False, many=True),
    ),
    parameters=SrcdParameters,
    function=reduce_srcd,
    order=_ORDER,
)
"""Scans of circular dichroism to one spectrum."""
