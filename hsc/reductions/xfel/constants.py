"""Calibration constants of modules: found by role, read cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError, RoleMissingError
from hsc.kernels import CellConstants
from hsc.reductions.base import SourceArray, SourceDataset, array_for
from hsc.reductions.xfel.modules import Module

_STAGES = 3
_PLANES = {
    "offset": _STAGES,
    "relative_gain": _STAGES,
    "thresholds": _STAGES - 1,
    "bad_pixels": _STAGES,
    "noise": _STAGES,
}


@dataclass(frozen=True, slots=True)
class ModuleConstants:
    """Where the constants of a module are; a worker reads those of one memory cell at a time."""

    offset: SourceArray
    """(cells, 3, rows, columns): without light, for each gain."""
    relative_gain: SourceArray
    """(cells, 3, rows, columns): what a unit is worth, for each gain."""
    thresholds: SourceArray
    """(cells, 2, rows, columns): digital words that part the gains."""
    bad_pixels: SourceArray | None
    """(cells, 3, rows, columns): bits of European XFEL's ``BadPixels``; None: none is known."""
    noise: SourceArray | None
    """(cells, 3, rows, columns): spread without light; None: not known."""

    @property
    def cells(self) -> int:
        """How many memory cells they are of."""
        return min(
            array.shape[0]
            for array in (self.offset, self.relative_gain, self.thresholds, self.bad_pixels)
            if array is not None
        )

    def read(self, cell: int, *, noise: bool = False) -> CellConstants:
        """Read the constants of one memory cell."""
        offset = _one(self.offset, cell, np.float32)
        return CellConstants(
            offset,
            _one(self.relative_gain, cell, np.float32),
            _one(self.thresholds, cell, np.float32),
            np.zeros(offset.shape, np.uint32)
            if self.bad_pixels is None
            else _one(self.bad_pixels, cell, np.uint32),
            None if self.noise is None or not noise else _one(self.noise, cell, np.float32),
        )


def find_constants(
    datasets: Sequence[SourceDataset], modules: Sequence[Module], *, noise: bool
) -> tuple[ModuleConstants, ...]:
    """Find the constants of modules, in their order.

    A role of a module's constants ends in ``@`` and the module's name, as in ``offset@AGIPD03``;
    without such an end it is for the only module.

    Parameters
    ----------
    noise
        Whether it has to be there.

    Raises
    ------
    RoleMissingError, ReductionError
        Some are missing, were never written, stand in several datasets, or have another shape.
    """
    return tuple(_of_module(datasets, module, len(modules) == 1, noise) for module in modules)


def _of_module(
    datasets: Sequence[SourceDataset], module: Module, only: bool, noise: bool
) -> ModuleConstants:
    end = f"@{module.name}"
    having = [each for each in datasets if f"offset{end}" in each.roles]
    if not having and only:
        end, having = "", [each for each in datasets if "offset" in each.roles]
    if len(having) != 1:
        kind = RoleMissingError if not having else ReductionError
        raise kind(
            f"{len(having) or 'none'} of the datasets of constants has the role "
            f"'offset@{module.name}'",
            where=", ".join(str(each.record.pid) for each in datasets),
            next_step="give one dataset with the constants of each module: constants=PID",
        )
    dataset = having[0]
    found: dict[str, SourceArray | None] = {}
    for role, planes in _PLANES.items():
        wanted = role in ("offset", "relative_gain", "thresholds") or (role == "noise" and noise)
        known = f"{role}{end}" in dataset.roles
        found[role] = (
            _checked(array_for(dataset, f"{role}{end}", f"is the {role} of {module.name}"),
                     planes, module, dataset)
            if known or wanted
            else None
        )  # fmt: skip
    return ModuleConstants(**found)  # type: ignore[arg-type]


def _checked(
    array: SourceArray, planes: int, module: Module, dataset: SourceDataset
) -> SourceArray:
    wanted = (planes, *module.shape)
    where = f"{dataset.record.pid}, {array.path}"
    if len(array.shape) != 4 or array.shape[1:] != wanted or array.dtype.kind not in "uif":
        raise ReductionError(
            f"constants of shape {array.shape} and type {array.dtype} for {module.name}",
            where=where,
            next_step=f"give numbers of shape (cells, {', '.join(map(str, wanted))})",
        )
    if array.unwritten():
        raise ReductionError("the constants were never written, or only in part", where=where)
    return array


def _one(array: SourceArray, cell: int, dtype: type[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array.read(cell, cell + 1)[0], dtype)
