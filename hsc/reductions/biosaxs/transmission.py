"""What share of the beam passes each dataset's sample: intensities are divided by it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError, ReductionError
from hsc.model import Quantity, Record
from hsc.reductions.base import SourceArray, SourceDataset

_ROLE = "transmission"


class TransmissionParameters(Record):
    """How much of the beam passed, where the datasets do not say, and whether it counts."""

    transmission: bool = True
    """Whether intensities are divided by the transmission where it is known; false where exposure
    or monitor are those of the transmitted beam, which holds it already."""
    sample_transmission: float | None = Field(default=None, gt=0, le=1)
    """Transmission of each sample, from 0 to 1; None: as the dataset says."""
    buffer_transmission: float | None = Field(default=None, gt=0, le=1)
    """Transmission of each buffer; None: as the dataset says."""
    absolute_transmission: float | None = Field(default=None, gt=0, le=1)
    """Transmission of the standard; None: as the dataset says."""
    absolute_empty_transmission: float | None = Field(default=None, gt=0, le=1)
    """Transmission of what is behind the standard; None: as the dataset says."""


def find_transmission(
    dataset: SourceDataset, name: str, frames: int, parameters: TransmissionParameters
) -> NDArray[np.float64] | None:
    """Find the transmission of a dataset's frames; None: it is unknown, or does not count.

    A parameter goes before the role ``transmission``, one number or one for each frame, and that
    before the quantity of this name in the record.

    Parameters
    ----------
    dataset
        The dataset.
    name
        Its input: ``sample``, ``buffer``, ``absolute`` or ``absolute_empty``.
    frames
        How many frames it has.
    parameters
        What is given.

    Returns
    -------
    Shape (frames,), above 0 and at most 1.

    Raises
    ------
    ParameterError
        It is no share of the beam.
    ReductionError
        There are neither one nor as many as frames.
    """
    if not parameters.transmission:
        return None
    given = getattr(parameters, f"{name}_transmission")
    if given is not None:
        return np.full(frames, given)
    where = str(dataset.record.pid)
    if _ROLE in dataset.roles:
        array = dataset.role(_ROLE)
        where = f"{where}, {array.path}"
        values = _numbers(array, where, name)
        unit = str(array.attributes.get("units") or "1")
    elif _ROLE in dataset.record.quantities:
        quantity = dataset.record.quantities[_ROLE]
        values, unit = np.array([quantity.value], dtype=np.float64), quantity.unit
    else:
        return None
    if len(values) not in {1, frames}:
        raise ReductionError(f"{len(values)} transmissions for {frames} frames", where=where)
    values = values * _share(unit, where, name)
    bad = np.flatnonzero(~((values > 0) & (values <= 1)))
    if len(bad):
        raise ParameterError(
            f"the transmission is {values[bad[0]]:.6g}, which is no share of the beam above 0 and "
            "at most 1",
            where=where,
            next_step=f"give it: -p {name}_transmission=..., or use none: -p transmission=false",
        )
    return np.broadcast_to(values, (frames,)).copy()


def check_transmissions(found: Sequence[tuple[str, str, NDArray[np.float64] | None]]) -> None:
    """Refuse transmissions that are known of some runs only: one alone would scale one curve only.

    Parameters
    ----------
    found
        Name, PID and transmission of each run.

    Raises
    ------
    ParameterError
        One is unknown, another known.
    """
    lacking = [(name, where) for name, where, values in found if values is None]
    if lacking and len(lacking) < len(found):
        name, where = lacking[0]
        other = next(known for known, _, values in found if values is not None)
        raise ParameterError(
            f"the transmission of the {name} is unknown, that of the {other} is known",
            where=where,
            next_step=f"give it: -p {name.split()[0]}_transmission=..., or use none: "
            "-p transmission=false",
        )


def _numbers(array: SourceArray, where: str, name: str) -> NDArray[np.float64]:
    values = np.asarray(array.read() if array.shape else array.scalar()).reshape(-1)
    if values.dtype.kind not in "uif":
        raise ParameterError(
            f"the transmission is {values[0]!s}, which is no number",
            where=where,
            next_step=f"give it: -p {name}_transmission=..., or use none: -p transmission=false",
        )
    return values.astype(np.float64)


def _share(unit: str, where: str, name: str) -> float:
    """Give what a number in this unit is multiplied by to be a share."""
    si = Quantity(value=1.0, unit=unit).si()
    if si is None or si[1] != "1":
        raise ParameterError(
            f"the transmission is in {unit!r}, which is no share",
            where=where,
            next_step=f"give it: -p {name}_transmission=...",
        )
    return si[0]
