"""Pulse-resolved correction of detectors with three gains: stage, offset, gain, common mode."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import AGIPD_CHIP_PIXELS, JUNGFRAU_CHIP_PIXELS, CorrectionRule
from hsc.model import Quantity, Record
from hsc.reductions import nexus
from hsc.reductions.base import Input, Inputs, Outputs, Reduction
from hsc.reductions.xfel.alignment import Alignment, FrameOrder, align, keep, tell_lacking
from hsc.reductions.xfel.constants import (
    WRONG_BITS,
    ModuleConstants,
    find_constants,
    named_modules,
    tell_by_bits,
)
from hsc.reductions.xfel.correcting import DATA, FRAMES, Correction, correction_stream, keep_cells
from hsc.reductions.xfel.modules import Module, find_modules, other_pictures
from hsc.store import NewArray, NewGroup, NewTree
from hsc.workers import Progress, Workers

_VERSION = "3"
_ORDER = "pixel-order-f64/v1"
# No one array is the axis of frames: a train has many pulses, and a pulse many trains.
_INDICES = {
    "train_id_indices": [0],
    "pulse_id_indices": [0],
    "cell_id_indices": [0],
    "module_name_indices": [1],
}


class XfelParameters(Record):
    """What is done beyond offset and gain, and how frames are sorted."""

    photon_adu: float | None = Field(default=None, gt=0)
    """What one photon adds to a corrected value; common mode, photons and sigma need it."""
    photon_kev: float | None = Field(default=None, gt=0)
    """Energy of a photon, keV: the same where constants are units per keV, as of JUNGFRAU."""
    common_mode: bool = True
    """Subtract from each readout chip (64 x 64 pixels; of JUNGFRAU 256 x 256) the median of its
    dark pixels: good, in the highest gain, below half a photon."""
    common_mode_least_pixels: int = Field(default=256, ge=1)
    """A chip with fewer dark pixels keeps its values."""
    photons: bool = False
    """Round values to whole photons, 16 bits; 65535 where there is no value."""
    sigma: bool = False
    """Make the spread of each value as well; needs the role noise."""
    bad_bits: int = Field(default=0xFFBFFFFF, ge=0, le=0xFFFFFFFF)
    """Bits of the mask that make a pixel bad: all but 22, the larger pixels at edges of chips."""
    frame_order: FrameOrder = "pulse"
    """Sort frames by pulse and then train, which reads constants once, or by train and pulse."""


def reduce_xfel(
    inputs: Inputs, parameters: XfelParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Correct all pictures of a detector, put together by train and pulse.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Pictures or constants are missing or do not fit each other.
    """
    dataset = inputs.one("sample")
    given = inputs.every("constants")
    bits = tell_by_bits(given)
    rule = _rule(parameters, bits)
    modules = find_modules(dataset, bits=bits, like=named_modules(given))
    constants = find_constants(given, modules, noise=parameters.sigma, bits=bits)
    alignment = align(modules, parameters.frame_order)
    _check_cells(modules, constants, alignment)
    correction = Correction(
        modules,
        constants,
        rule,
        parameters.photons,
        parameters.sigma,
        bits,
        parameters.frame_order,
        keep(alignment),
        keep_cells(modules),
    )
    frames, record = len(alignment.train_id), dataset.record
    lacking = tell_lacking(modules, alignment)
    return Outputs(
        tree=_tree(modules, alignment, record.instrument, parameters.document()),
        results={
            "frames": frames,
            "modules": len(modules),
            "trains": len(np.unique(alignment.train_id)),
            "pictures_missing": int((alignment.rows < 0).sum()),
            "lacking": lacking,
            "left_out": other_pictures(dataset, modules),
        },
        quantities={"frames": Quantity(value=float(frames), unit="")},
        title=f"{record.title}: {frames} corrected frames of {_modules(len(modules))}",
        technique=None,
        facts={"alignment": correction.alignment, "lacking": lacking},
        streams=(correction_stream(correction, frames),),
    )


def _rule(parameters: XfelParameters, bits: bool) -> CorrectionRule:
    name, other = ("photon_kev", "photon_adu") if bits else ("photon_adu", "photon_kev")
    photon = getattr(parameters, name)
    needing = [one for one in ("common_mode", "photons", "sigma") if getattr(parameters, one)]
    if getattr(parameters, other) is not None:
        raise ParameterError(
            f"{other} is given, and with constants "
            + ("of units per keV" if bits else "of relative gains")
            + f" corrected values are in {'keV' if bits else 'adu'}",
            next_step=f"give {name} instead",
        )
    if photon is None and needing:
        raise ParameterError(
            f"{name} is not given, what a photon adds to a corrected value, and "
            f"{' and '.join(needing)} can't do without",
            next_step=f"give it: -p {name}=...; or "
            + " ".join(f"-p {one}=false" for one in needing),
        )
    return CorrectionRule(
        photon or 0.0,
        parameters.common_mode,
        parameters.common_mode_least_pixels,
        parameters.bad_bits,
        JUNGFRAU_CHIP_PIXELS if bits else AGIPD_CHIP_PIXELS,
        float(WRONG_BITS) if bits else math.nan,
    )


def _check_cells(
    modules: tuple[Module, ...], constants: tuple[ModuleConstants, ...], alignment: Alignment
) -> None:
    lowest, highest = int(alignment.cell_id.min()), int(alignment.cell_id.max())
    for module, each in zip(modules, constants, strict=True):
        if highest >= each.cells and not (each.of_any_cell and lowest == highest):
            raise ReductionError(
                f"constants of {each.cells} memory cells for {module.name}, and pictures in cell "
                f"{highest}",
                where=each.offset.path,
                next_step="give constants, each array of which has the run's own number of memory "
                "cells",
            )


def _tree(
    modules: tuple[Module, ...],
    alignment: Alignment,
    instrument: str | None,
    parameters: Mapping[str, Any],
) -> NewTree:
    groups: list[NewGroup] = [
        nexus.group("/entry", "NXentry", default="data"),
        nexus.group(DATA, "NXdata", signal="data", axes=["."] * 4, **_INDICES),
        nexus.group(FRAMES, "NXcollection"),
    ]
    arrays: list[NewArray] = [
        nexus.array(f"{DATA}/train_id", alignment.train_id, ("frame",)),
        nexus.array(f"{DATA}/pulse_id", alignment.pulse_id, ("frame",)),
        nexus.array(f"{DATA}/cell_id", alignment.cell_id, ("frame",)),
        nexus.array(f"{DATA}/module_name", np.array([each.name for each in modules]), ("module",)),
        nexus.array(
            f"{FRAMES}/row_at_source",
            np.ascontiguousarray(alignment.rows.T),
            ("frame", "module"),
            long_name="row of the picture, counted through a module's sequences; -1: none",
        ),
    ]
    note = "gain stage, offset, relative gain, common mode, bad pixels, photons"
    parts = [
        nexus.process_group("/entry/reduction", "xfel_correct", _VERSION, note, _ORDER),
        nexus.parameters_group("/entry/reduction/input", parameters),
    ]
    if instrument:
        name = nexus.scalar("/entry/instrument/name", instrument)
        parts.append(([nexus.group("/entry/instrument", "NXinstrument")], [name]))
    for more_groups, more_arrays in parts:
        groups += more_groups
        arrays += more_arrays
    roles = {
        "frames": f"{DATA}/data",
        "gain": f"{DATA}/gain",
        "frame_mask": f"{DATA}/mask",
        "train_id": f"{DATA}/train_id",
        "pulse_id": f"{DATA}/pulse_id",
        "cell_id": f"{DATA}/cell_id",
        "module": f"{DATA}/module_name",
    }
    return NewTree(tuple(groups), tuple(arrays), roles)


def _modules(count: int) -> str:
    return f"{count} modules" if count != 1 else "one module"


XFEL_CORRECT = Reduction(
    name="xfel_correct",
    version=_VERSION,
    summary="pictures of AGIPD or JUNGFRAU corrected pulse by pulse, aligned by train",
    inputs=(
        Input("sample", "a raw run of AGIPD or JUNGFRAU"),
        Input("constants", "offset, gain and, of AGIPD, thresholds of its modules", many=True),
    ),
    parameters=XfelParameters,
    function=reduce_xfel,
    order=_ORDER,
)
"""Raw pictures of a detector with three gains to corrected frames."""
