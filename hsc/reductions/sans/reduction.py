"""Neutron events of samples, backgrounds and transmission runs to I(Q) and I(Qx, Qy)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import EventCounts, PulseFrame
from hsc.model import Quantity
from hsc.reductions.base import Input, Inputs, Outputs, Reduction, SourceDataset, array_for
from hsc.reductions.sans.counting import MonitorEvents, count_all
from hsc.reductions.sans.intensity import Measured, refuse_unweighed
from hsc.reductions.sans.normalization import Divisor, denominators
from hsc.reductions.sans.parameters import SansBins, SansParameters
from hsc.reductions.sans.pixels import Bank
from hsc.reductions.sans.places import si_factor
from hsc.reductions.sans.runs import EventRun, Monitor, scattering_run, transmission_run
from hsc.reductions.sans.spectrum import (
    MonitorCounts,
    Spectrum,
    corrected,
    interpolate,
    transmission_of,
)
from hsc.reductions.sans.tree import SansResult, sans_tree
from hsc.workers import Progress, Workers

_KINDS = ("sample", "background")


def reduce_sans(
    inputs: Inputs, parameters: SansParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Count events by wavelength and Q, divide by what could have been counted, subtract.

    I = Σ_λ C(λ, Q) / Σ_λ D(λ, Q), D = M(λ) T(λ) Σ_p Ω_p DB(λ), as in Heenan, Penfold & King,
    J. Appl. Cryst. 30, 1140 (1997), and esssans. Several sample or background runs add C and D.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Something is missing, impossible, moves or contradicts itself.
    """
    inputs.check_unlike("sample", "background")
    if parameters.uncertainties == "fail":
        raise ReductionError(
            "monitor counts have variances, and each divides many bins of Q at once, which "
            "uncertainties=fail forbids",
            next_step="-p uncertainties=upper_bound counts them for each bin, drop leaves them out",
        )
    bins = parameters.bins()
    direct_beam = _direct_beam(inputs.optional("direct_beam"), bins.middles_angstrom)
    runs = _runs(inputs, parameters)
    tallies = _count(runs, bins, parameters, workers, progress)
    measured = {}
    for kind in _KINDS:
        if runs[kind]:
            transmission = _transmission(kind, runs, tallies, bins, parameters)
            measured[kind] = _measure(
                runs[kind], tallies, transmission, direct_beam, bins, parameters, workers, progress
            )
    sample, background = measured["sample"], measured.get("background")
    record = inputs.every("sample")[0].record
    name = _sample_name(inputs.every("sample")[0])
    result = SansResult(
        bins,
        sample,
        background,
        sample.curve().less(background.curve() if background else None),
        sample.flat().less(background.flat() if background else None),
        direct_beam,
    )
    found = _facts(runs)
    return Outputs(
        tree=sans_tree(
            result,
            sample_name=name,
            instrument=record.instrument,
            facts=found,
            parameters=parameters.document(),
            version=SANS.version,
        ),
        results=_results(result),
        quantities=_quantities(result),
        title=f"{name or record.title}: I(Q) of neutrons"
        + (" less background" if background else ""),
        technique="SANS",
        facts=found,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """What was counted of one run."""

    detectors: EventCounts | None
    incident: MonitorCounts
    transmitted: MonitorCounts | None


_Runs = dict[str, list[EventRun]]


def _runs(inputs: Inputs, parameters: SansParameters) -> _Runs:
    mask = inputs.optional("mask")
    found: _Runs = {}
    for kind in _KINDS:
        given, other = inputs.every(kind), inputs.every(_of(kind, "transmission"))
        constant = getattr(parameters, f"{kind}_transmission") is not None
        found[kind] = [
            scattering_run(each, parameters, mask, transmitted=not (other or constant))
            for each in given
        ]
        measures = other if given and not constant else ()
        found[_of(kind, "transmission")] = [transmission_run(o, parameters) for o in measures]
    measured = any(found[k] and getattr(parameters, f"{k}_transmission") is None for k in _KINDS)
    empty = inputs.every("empty_beam") if measured else ()
    found["empty_beam"] = [transmission_run(each, parameters) for each in empty]
    return found


def _of(kind: str, what: str) -> str:
    return what if kind == "sample" else f"{kind}_{what}"


def _count(
    runs: _Runs,
    bins: SansBins,
    parameters: SansParameters,
    workers: Workers,
    progress: Progress,
) -> dict[int, _Tally]:
    """Count all events of all runs at once, by the run's identity."""
    every = [run for each in runs.values() for run in each]
    sources: list[tuple[Bank | MonitorEvents, PulseFrame]] = []
    for run in every:
        sources += [(bank, run.frame(bank.second)) for bank in run.banks]
        for monitor in (run.incident, run.transmitted):
            if isinstance(monitor, MonitorEvents):
                sources.append((monitor, run.frame(monitor.second)))
    counted = iter(
        count_all(sources, bins, workers, progress, unequal=parameters.unequal_event_lengths)
    )
    tallies = {}
    for run in every:
        detectors = [next(counted) for _ in run.banks]
        total = sum(detectors[1:], detectors[0]) if detectors else None
        incident = _monitored(run.incident, counted, bins)
        transmitted = None
        if run.transmitted is not None:
            transmitted = _monitored(run.transmitted, counted, bins)
        tallies[id(run)] = _Tally(total, incident, transmitted)
    return tallies


def _monitored(monitor: Monitor, counted: Any, bins: SansBins) -> MonitorCounts:
    if isinstance(monitor, MonitorCounts):
        return monitor
    counts = next(counted).radial[:, 0].astype(np.float64)
    return MonitorCounts(bins.wavelength.edges, counts, monitor.times.path)


def _transmission(
    kind: str,
    runs: _Runs,
    tallies: dict[int, _Tally],
    bins: SansBins,
    parameters: SansParameters,
) -> Spectrum:
    constant = getattr(parameters, f"{kind}_transmission")
    if constant is not None:
        return Spectrum(np.full(bins.wavelength.count, constant), np.zeros(bins.wavelength.count))
    if not runs["empty_beam"]:
        raise ParameterError(
            f"the transmission of the {kind} is neither given nor measured: there is no input "
            "'empty_beam'",
            next_step=f"give empty_beam=PID, or -p {kind}_transmission=... (1 for none)",
        )

    def pair(chosen: Sequence[EventRun]) -> tuple[Spectrum, Spectrum]:
        found = [tallies[id(run)] for run in chosen]
        incident = _sum([one.incident for one in found])
        transmitted = _sum([one.transmitted for one in found if one.transmitted])
        edges = bins.wavelength.edges
        return corrected(incident, edges, parameters), corrected(transmitted, edges, parameters)

    own = runs[_of(kind, "transmission")] or runs[kind]
    return transmission_of(pair(own), pair(runs["empty_beam"]))


def _sum(parts: Sequence[MonitorCounts]) -> MonitorCounts:
    return sum(parts[1:], parts[0])


def _measure(
    runs: Sequence[EventRun],
    tallies: dict[int, _Tally],
    transmission: Spectrum,
    direct_beam: NDArray[np.float64],
    bins: SansBins,
    parameters: SansParameters,
    workers: Workers,
    progress: Progress,
) -> Measured:
    """Add runs up: counts and monitors of one geometry as integers, then what they divide by."""
    edges, upper = bins.wavelength.edges, parameters.uncertainties == "upper_bound"
    groups: dict[str, list[EventRun]] = {}
    for run in runs:
        groups.setdefault(run.geometry(), []).append(run)
    divisors, beams, seen = [], [], np.ones(bins.wavelength.count, np.bool_)
    for _, chosen in sorted(groups.items()):
        monitor = corrected(_sum([tallies[id(run)].incident for run in chosen]), edges, parameters)
        beams.append(monitor)
        # A bin in which a monitor counted nothing has no transmission, and weighs nothing.
        beam = monitor.times(transmission)
        known = np.isfinite(beam.values)
        beam = Spectrum(np.where(known, beam.values, 0.0), np.where(known, beam.variances, 0.0))
        seen &= known & (beam.values != 0)
        divisors.append(Divisor(chosen[0].banks, beam, direct_beam, upper))
    parts = denominators(divisors, bins, workers, progress)
    counts = [found for run in runs if (found := tallies[id(run)].detectors) is not None]
    total = sum(counts[1:], counts[0])
    refuse_unweighed(total, seen, bins, str(runs[0].dataset.record.pid))
    values, variances = np.zeros((2, bins.wavelength.count))
    for one in beams:
        values, variances = values + one.values, variances + one.variances
    return Measured(
        total,
        sum(parts[1:], parts[0]),
        Spectrum(values, variances),
        transmission,
    )


def _direct_beam(
    dataset: SourceDataset | None, wavelengths: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the direct beam function at wavelengths, linear between its points; 1 without one.

    Its errors are left out, as esssans leaves them out where it interpolates.
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


def _sample_name(dataset: SourceDataset) -> str | None:
    if "sample_name" in dataset.roles:
        return str(dataset.role("sample_name").scalar())
    return dataset.record.sample


def _facts(runs: _Runs) -> dict[str, Any]:
    """Give what was found in the datasets and decides the result."""
    first = runs["sample"][0]
    found: dict[str, Any] = {
        f"{kind}_pixels_blake3": " ".join(sorted({run.geometry() for run in runs[kind]}))
        for kind in _KINDS
        if runs[kind]
    }
    found["source_to_sample_m"] = first.banks[0].beam.length_m
    found["pulse_period_s"] = first.period_s
    found["wavelength_from"] = "time of flight; no lookup table of choppers"
    return found


def _results(result: SansResult) -> dict[str, Any]:
    left = result.sample.counts.left_out
    found: dict[str, Any] = {
        "sample_events": int(result.sample.counts.radial.sum()),
        "sample_events_of_unknown_pixels": int(left[0]),
        "sample_events_of_masked_pixels": int(left[1]),
        "sample_events_beyond_wavelengths": int(left[2]),
        "sample_events_beyond_q": int(left[3]),
        "bins": int(np.isfinite(result.curve.values).sum()),
        "transmission": _mean_transmission(result),
    }
    if result.background:
        found["background_events"] = int(result.background.counts.radial.sum())
    return found


def _mean_transmission(result: SansResult) -> float:
    """Give the transmission, averaged over the incident spectrum."""
    weights, values = result.sample.incident.values, result.sample.transmission.values
    seen = np.isfinite(values)
    return float((weights[seen] * values[seen]).sum() / weights[seen].sum())


def _quantities(result: SansResult) -> dict[str, Quantity]:
    q, wavelength = result.used_q(), result.bins.wavelength.edges
    return {
        "transmission": Quantity(value=_mean_transmission(result), unit="1"),
        "q_min": Quantity(value=float(q[0]), unit="1/angstrom"),
        "q_max": Quantity(value=float(q[-1]), unit="1/angstrom"),
        "wavelength_min": Quantity(value=float(wavelength[0]), unit="angstrom"),
        "wavelength_max": Quantity(value=float(wavelength[-1]), unit="angstrom"),
    }


SANS = Reduction(
    name="sans",
    version="1",
    summary="neutron events to I(Q) and I(Qx, Qy), with monitors, transmission and background",
    inputs=(
        Input("sample", "events of the sample; several runs are added", many=True),
        Input("background", "events of the empty cell", required=False, many=True),
        Input("transmission", "monitors with the sample in", required=False, many=True),
        Input("background_transmission", "monitors with the cell in", required=False, many=True),
        Input("empty_beam", "monitors with nothing in the beam", required=False, many=True),
        Input("direct_beam", "wavelength and intensity of the direct beam", required=False),
        Input("mask", "pixel_mask of all pixels, not 0 where bad", required=False),
    ),
    parameters=SansParameters,
    function=reduce_sans,
    order="pixel-order-f64/v1",
)
"""Neutron events to I(Q)."""
