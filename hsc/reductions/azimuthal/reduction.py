"""Azimuthal integration: every frame becomes I(q) with errors, or a cake."""

from __future__ import annotations

from pydantic import Field

from hsc.errors import ParameterError
from hsc.model import Dataset, Quantity
from hsc.reductions.azimuthal.instrument import beam_quantities
from hsc.reductions.azimuthal.integration import integrate, see_to_table
from hsc.reductions.azimuthal.parameters import IntegrationParameters
from hsc.reductions.azimuthal.pictures import CALIBRATION_INPUTS, calibrations_of
from hsc.reductions.azimuthal.stack import Stack, stack_of
from hsc.reductions.azimuthal.streaming import first_frame, note_of, streamed, totals_of
from hsc.reductions.azimuthal.tree import azimuthal_tree
from hsc.reductions.base import Input, Inputs, Outputs, Reduction
from hsc.store import Stream
from hsc.workers import Progress, Workers

# Frames times bins that are gathered in one process, at some 50 bytes each; more is streamed.
_MOST_NUMBERS = 10_000_000


class AzimuthalParameters(IntegrationParameters):
    """Parameters of the azimuthal integration of single frames."""

    azimuthal_bins: int = Field(default=0, ge=0, le=100_000)
    """Azimuthal bins of a cake, -180° to 180° or chi_min_deg to chi_max_deg; 0: curves."""


def reduce_azimuthal(
    inputs: Inputs,
    parameters: AzimuthalParameters,
    workers: Workers,
    progress: Progress,
    most_numbers: int = _MOST_NUMBERS,
) -> Outputs:
    """Integrate each frame over the azimuth.

    For each frame and bin S is the sum of counts, V of their variances, N of the pixels'
    normalisations (monitor × flat × polarisation × solid angle), each weighted by the share of
    the pixel in the bin; I = S / N and its standard error √V / N. All of them are pyFAI's CSR
    numbers, bit for bit: the sums in float64, I and its error in float32. One difference is
    intended: pyFAI reads counts as float32 first and so rounds those above 2²⁴, hsc does not
    where nothing is subtracted from them. Series of more than ``most_numbers`` frames times bins
    are streamed: made and written by the workers, block by block.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Something that integration needs is missing or impossible.
    """
    dataset = inputs.one("sample")
    _refuse_too_many(parameters)
    stack = stack_of(
        dataset, parameters, calibrations_of(inputs), azimuthal_bins=parameters.azimuthal_bins
    )
    record, binning = dataset.record, stack.binning
    frames = stack.frames.shape[0]
    streams: tuple[Stream, ...] = ()
    whole = frames * binning.size <= most_numbers
    if not whole:
        see_to_table(binning, workers, progress)
    sums = integrate(stack, workers, progress) if whole else first_frame(stack)
    tree = azimuthal_tree(
        record, stack, sums, parameters.document(), (AZIMUTHAL.version, AZIMUTHAL.summary)
    )
    if not whole:
        tree, stream = streamed(stack, tree, sums)
        streams = (stream,)
    kind = "a cake" if binning.azimuthal_bins else "I(q)"
    return Outputs(
        tree=tree,
        results={**_results(stack), **(totals_of(stack, [note_of(sums)]) if whole else {})},
        quantities=_quantities(record, stack),
        title=f"{record.title}: {kind} of {frames} frames",
        streams=streams,
    )


def _refuse_too_many(parameters: AzimuthalParameters) -> None:
    size = parameters.bins * parameters.azimuthal_bins
    if size > _MOST_NUMBERS:
        raise ParameterError(
            f"bins is {parameters.bins} and azimuthal_bins is {parameters.azimuthal_bins}: a cake "
            f"of {size} bins, of which each takes 200 bytes of memory",
            next_step=f"give fewer, {_MOST_NUMBERS} in all at most: -p bins=... "
            "-p azimuthal_bins=...",
        )


def _results(stack: Stack) -> dict[str, float | int | str]:
    binning = stack.binning
    return {
        "frames": stack.frames.shape[0],
        "bins": binning.bins,
        **({"azimuthal_bins": binning.azimuthal_bins} if binning.azimuthal_bins else {}),
        "radial_unit": binning.radial_unit,
        "radial_min": binning.radial_min,
        "radial_max": binning.radial_max,
        **_q_range(stack),
    }


def _q_range(stack: Stack) -> dict[str, float]:
    binning = stack.binning
    if not binning.radial_unit.startswith("q_"):
        return {}
    return {
        "q_min_per_nm": binning.radial_min / binning.scale,
        "q_max_per_nm": binning.radial_max / binning.scale,
    }


def _quantities(record: Dataset, stack: Stack) -> dict[str, Quantity]:
    found = beam_quantities(record, stack.binning.geometry)
    q_range = _q_range(stack)
    if q_range:
        found["q_max"] = Quantity(value=q_range["q_max_per_nm"], unit="1/nm")
    return found


AZIMUTHAL = Reduction(
    name="azimuthal",
    version="6",
    summary="every frame integrated over the azimuth to I(q), or a cake, with errors",
    inputs=(
        Input("sample", "frames of an area detector"),
        *CALIBRATION_INPUTS,
    ),
    parameters=AzimuthalParameters,
    function=reduce_azimuthal,
    packages=("pyFAI", "numexpr"),
    order="pixel-order-f64/v1",
)
"""Frames of one dataset to I(q), frame by frame."""
