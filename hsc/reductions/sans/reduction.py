"""Neutron events of samples, backgrounds and transmission runs to I(Q) and I(Qx, Qy)."""

from __future__ import annotations

from hsc.errors import ReductionError
from hsc.reductions.base import Input, Inputs, Outputs, Reduction, SourceDataset
from hsc.reductions.sans.bands import bands_of
from hsc.reductions.sans.direct_beam import direct_beam_at
from hsc.reductions.sans.findings import (
    background_warnings,
    facts_of,
    quantities_of,
    results_of,
    warnings_of,
)
from hsc.reductions.sans.lookup import lookup_of
from hsc.reductions.sans.measuring import KINDS, Runs, measure, transmission_input
from hsc.reductions.sans.parameters import SansParameters
from hsc.reductions.sans.runs import EventRun, scattering_run, transmission_run
from hsc.reductions.sans.tallies import count_runs
from hsc.reductions.sans.tree import SansResult, sans_tree
from hsc.workers import Progress, Workers


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
    _refuse_own_empty_beam(inputs, parameters)
    if parameters.uncertainties == "fail":
        raise ReductionError(
            "monitor counts have variances, and each divides many bins of Q at once, which "
            "uncertainties=fail forbids",
            next_step="-p uncertainties=upper_bound counts them for each bin, drop leaves them out",
        )
    bins = parameters.bins()
    direct_beam, said = direct_beam_at(inputs.optional("direct_beam"), bins.middles_angstrom)
    runs = _runs(inputs, parameters)
    every = [run for each in runs.values() for run in each]
    tallies = count_runs(every, bins, parameters, workers, progress)
    measured = measure(runs, tallies, direct_beam, bins, parameters, workers, progress)
    sample, background = measured["sample"], measured.get("background")
    warnings = said + warnings_of(runs, measured) + background_warnings(runs, bins, parameters)
    result = SansResult(
        bins,
        sample,
        background,
        sample.curve().less(background.curve() if background else None),
        sample.flat().less(background.flat() if background else None),
        direct_beam,
        bands_of(parameters.wavelength_bands, bins.wavelength.edges, sample, background),
        tuple(warnings),
    )
    return _outputs(inputs.every("sample")[0], result, runs, parameters, warnings)


def _outputs(
    dataset: SourceDataset,
    result: SansResult,
    runs: Runs,
    parameters: SansParameters,
    warnings: list[str],
) -> Outputs:
    found, name = facts_of(runs), _sample_name(dataset)
    return Outputs(
        tree=sans_tree(
            result,
            sample_name=name,
            instrument=dataset.record.instrument,
            facts=found,
            parameters=parameters.document(),
            version=SANS.version,
        ),
        results=results_of(result, warnings),
        quantities=quantities_of(result),
        title=f"{name or dataset.record.title}: I(Q) of neutrons"
        + (" less background" if result.background else ""),
        technique="SANS",
        facts=found,
    )


def _runs(inputs: Inputs, parameters: SansParameters) -> Runs:
    mask, most = inputs.optional("mask"), parameters.table_relative_error_max
    lookups = tuple(lookup_of(each, most) for each in inputs.every("wavelength_table"))
    found: dict[str, list[EventRun]] = {}
    for kind in KINDS:
        given, other = inputs.every(kind), inputs.every(transmission_input(kind))
        constant = getattr(parameters, f"{kind}_transmission") is not None
        apart = bool(other) or constant
        found[kind] = [
            scattering_run(each, parameters, mask, transmitted=not apart, lookups=lookups)
            for each in given
        ]
        measures = other if given and not constant else ()
        found[transmission_input(kind)] = [
            transmission_run(each, parameters, lookups) for each in measures
        ]
    measured = any(found[k] and getattr(parameters, f"{k}_transmission") is None for k in KINDS)
    empty = inputs.every("empty_beam") if measured else ()
    found["empty_beam"] = [transmission_run(each, parameters, lookups) for each in empty]
    for run in (run for each in found.values() for run in each):
        run.refuse_overlap(parameters)
    return found


def _refuse_own_empty_beam(inputs: Inputs, parameters: SansParameters) -> None:
    """Refuse a run that is its own empty beam: its transmission would be 1, whatever it is.

    A background that is the empty beam has the transmission 1, which is to be said.
    """
    wanted = [
        kind
        for kind in KINDS
        if inputs.every(kind) and getattr(parameters, f"{kind}_transmission") is None
    ]
    for kind in wanted:
        for name in (transmission_input(kind), kind):
            inputs.check_unlike(
                name,
                "empty_beam",
                f"the transmission of the {kind} is measured against: it would be 1",
                f"give empty_beam=PID of a run with nothing in the beam, or what is right by "
                f"-p {kind}_transmission=... (1 for none)",
            )


def _sample_name(dataset: SourceDataset) -> str | None:
    if "sample_name" in dataset.roles:
        return str(dataset.role("sample_name").scalar())
    return dataset.record.sample


SANS = Reduction(
    name="sans",
    version="5",
    summary="neutron events to I(Q) and I(Qx, Qy), with monitors, transmission and background",
    inputs=(
        Input("sample", "events of the sample; several runs are added", many=True),
        Input("background", "events of the empty cell", required=False, many=True),
        Input("transmission", "monitors with the sample in", required=False, many=True),
        Input("background_transmission", "monitors with the cell in", required=False, many=True),
        Input("empty_beam", "monitors with nothing in the beam", required=False, many=True),
        Input("direct_beam", "wavelength and intensity of the direct beam", required=False),
        Input("wavelength_table", "wavelengths by time and length", required=False, many=True),
        Input("mask", "pixel_mask of all pixels, not 0 where bad", required=False),
    ),
    parameters=SansParameters,
    function=reduce_sans,
    order="pixel-order-f64/v1",
)
"""Neutron events to I(Q)."""
