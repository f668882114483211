"""Azimuthal integration: every frame becomes I(q) with errors."""

from __future__ import annotations

import numpy as np

from hsc.model import Quantity
from hsc.reductions import nexus
from hsc.reductions.azimuthal.instrument import instrument_groups
from hsc.reductions.azimuthal.integration import (
    FrameSums,
    IntegrationParameters,
    Stack,
    integrate,
    stack_facts,
    stack_of,
)
from hsc.reductions.base import Input, Inputs, Outputs, Reduction
from hsc.store import NewArray, NewTree
from hsc.workers import Progress, Workers


class AzimuthalParameters(IntegrationParameters):
    """Parameters of the azimuthal integration of single frames."""


def reduce_azimuthal(
    inputs: Inputs, parameters: AzimuthalParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Integrate each frame over the azimuth.

    A pixel belongs wholly to the bin that its middle lies in. For each frame and bin S is the
    sum of counts, V the sum of max(1, counts) (Poisson variance with a floor), N the sum of
    solid angle (and polarisation) of the pixels used; I = S / N and its standard error √V / N
    are pyFAI's ``("no", "csr", "cython")`` with the ``poisson`` model, bit for bit in float32
    where no bin holds more than 2²⁴ counts in one pixel (pyFAI reads counts as float32 first,
    hsc does not).

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Something that integration needs is missing or impossible.
    """
    dataset = inputs.one("sample")
    stack = stack_of(dataset, parameters)
    sums = integrate(stack, workers, progress)
    record = dataset.record
    frames, bins = sums.signal.shape
    geometry = stack.binning.geometry
    return Outputs(
        tree=_tree(record.instrument, stack, sums, parameters),
        results={
            "frames": frames,
            "bins": bins,
            "q_min_per_nm": stack.binning.q_min_per_nm,
            "q_max_per_nm": stack.binning.q_max_per_nm,
            "counts": int(sums.signal.sum(dtype=np.uint64)),
            "pixels_left_out": int(sums.left_out.sum()),
        },
        quantities={
            "q_max": Quantity(value=stack.binning.q_max_per_nm, unit="1/nm"),
            "wavelength": Quantity(value=geometry.wavelength_angstrom, unit="angstrom"),
        },
        title=f"{record.title}: I(q) of {frames} frames",
    )


def _tree(
    instrument: str | None, stack: Stack, sums: FrameSums, parameters: AzimuthalParameters
) -> NewTree:
    """Arrange the results like NXazint1d (MAX IV's definition), with the exact sums beside."""
    binning = stack.binning
    groups = [
        nexus.group("/entry", "NXentry", default="data"),
        nexus.group(
            "/entry/data",
            "NXdata",
            signal="I",
            axes=[".", "radial_axis"],
            interpretation="spectrum",
        ),
        nexus.group("/entry/reduction/sums", "NXcollection"),
    ]
    arrays = [
        nexus.scalar("/entry/definition", "NXazint1d"),
        nexus.scalar("/entry/solid_angle_applied", binning.solid_angle),
        nexus.scalar("/entry/polarization_applied", binning.polarization_factor is not None),
        nexus.scalar("/entry/normalization_applied", False),
        *_data(stack, sums),
        *_sums(sums),
    ]
    given = {**parameters.document(), **stack_facts(stack)}
    for more_groups, more_arrays in (
        nexus.process_group("/entry/reduction", "azimuthal", AZIMUTHAL.version, AZIMUTHAL.summary),
        nexus.parameters_group("/entry/reduction/input", given),
        instrument_groups("/entry/instrument", instrument, binning.geometry),
    ):
        groups += more_groups
        arrays += more_arrays
    roles = {
        "q": "/entry/data/radial_axis",
        "intensity": "/entry/data/I",
        "intensity_error": "/entry/data/I_errors",
    }
    return NewTree(tuple(groups), tuple(arrays), roles)


def _data(stack: Stack, sums: FrameSums) -> list[NewArray]:
    edges = stack.binning.edges_per_nm()
    intensity, error = sums.intensity()
    return [
        nexus.array(
            "/entry/data/I",
            intensity,
            ("frame", "radial_axis"),
            "arbitrary units",
            long_name="mean counts per pixel, relative to its solid angle",
        ),
        nexus.array("/entry/data/I_errors", error, ("frame", "radial_axis"), "arbitrary units"),
        nexus.array(
            "/entry/data/radial_axis",
            (edges[:-1] + edges[1:]) / 2,
            ("radial_axis",),
            "1/nm",
            long_name="q",
        ),
        nexus.array("/entry/data/radial_axis_edges", edges, ("radial_axis_edges",), "1/nm"),
        nexus.array(
            "/entry/data/norm",
            sums.normalization.max(axis=0),
            ("radial_axis",),
            long_name="largest normalisation of the frames; each frame's own is in reduction/sums",
        ),
    ]


def _sums(sums: FrameSums) -> list[NewArray]:
    where, both = "/entry/reduction/sums", ("frame", "radial_axis")
    return [
        nexus.array(f"{where}/signal", sums.signal, both, "counts"),
        nexus.array(f"{where}/variance", sums.variance, both, "counts"),
        nexus.array(f"{where}/normalization", sums.normalization, both),
        nexus.array(f"{where}/count", sums.count, both, "pixels"),
        nexus.array(f"{where}/left_out", sums.left_out, ("frame",), "pixels"),
    ]


AZIMUTHAL = Reduction(
    name="azimuthal",
    version="1",
    summary="every frame integrated over the azimuth to I(q) with Poisson errors",
    inputs=(Input("sample", "frames of an area detector"),),
    parameters=AzimuthalParameters,
    function=reduce_azimuthal,
    packages=("pyFAI",),
)
"""Frames of one dataset to I(q), frame by frame."""
