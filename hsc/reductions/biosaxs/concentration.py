"""How much of the particle is in its solution: from the parameters, else from the datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hsc.errors import ParameterError
from hsc.model import Quantity
from hsc.reductions.base import SourceDataset

_ROLE = "concentration"
_DIMENSION = "[length]^-3 [mass]^1"
_ALIKE = 0.01


@dataclass(frozen=True, slots=True)
class Concentration:
    """A concentration, or why there is none."""

    g_per_l: float | None
    """In g/L; None: not known."""
    remark: str | None = None
    """What a person should know of it, in a sentence; None: nothing."""


def find_concentration(samples: Sequence[SourceDataset], given: float | None) -> Concentration:
    """Find the concentration of samples that are averaged.

    A parameter goes before the role ``concentration``, and that before the quantity of this name
    in the record. Only mass per volume counts; of another unit a remark tells.

    Raises
    ------
    ParameterError
        The samples are not equally concentrated: their average would have no concentration.
    """
    if given is not None:
        return Concentration(given)
    found: list[tuple[str, float]] = []
    for dataset in samples:
        quantity = _said(dataset)
        if quantity is None:
            return Concentration(None)
        si = quantity.si()
        if si is None or si[1] != _DIMENSION or not (np.isfinite(si[0]) and si[0] > 0):
            return Concentration(
                None,
                f"the concentration {quantity.value:g} {quantity.unit} of "
                f"{dataset.record.title} is no mass per volume above zero, and not used; give it "
                "for a mass from I0: -p concentration_g_per_l=...",
            )
        found.append((str(dataset.record.pid), si[0]))  # kg/m³ = g/L
    values = [value for _, value in found]
    if max(values) > (1 + _ALIKE) * min(values):
        raise ParameterError(
            f"samples of {', '.join(f'{value:g}' for value in values)} g/L are to be averaged",
            where=", ".join(pid for pid, _ in found),
            next_step="reduce them one by one, or say one concentration for all: "
            "-p concentration_g_per_l=...",
        )
    return Concentration(float(np.mean(values)))


def _said(dataset: SourceDataset) -> Quantity | None:
    if _ROLE not in dataset.roles:
        return dataset.record.quantities.get(_ROLE)
    array = dataset.role(_ROLE)
    value = array.scalar()
    if isinstance(value, str):
        return None
    return Quantity(value=float(value), unit=str(array.attributes.get("units") or "1"))
