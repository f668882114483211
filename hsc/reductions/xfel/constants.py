"""Calibration constants of modules: found by role, read cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError, RoleMissingError
from hsc.kernels import CellConstants
from hsc.reductions.base import SourceArray, SourceDataset, array_for
from hsc.reductions.xfel.modules import UNNAMED, Module

_STAGES = 3
_PLANES = {
    "offset": _STAGES,
    "relative_gain": _STAGES,
    "adu_per_kev": _STAGES,
    "thresholds": _STAGES - 1,
    "bad_pixels": _STAGES,
    "noise": _STAGES,
}
WRONG_BITS = 2
"""What JUNGFRAU's two bits never are: its stages are 0, 1 and 3."""


@dataclass(frozen=True, slots=True)
class ModuleConstants:
    """Where the constants of a module are; a worker reads those of one memory cell at a time."""

    offset: SourceArray
    """(cells, 3, rows, columns): without light, for each gain."""
    gain: SourceArray
    """(cells, 3, rows, columns): what a unit is worth, for each gain; without thresholds how many
    units make a keV."""
    thresholds: SourceArray | None
    """(cells, 2, rows, columns): digital words that part the gains; None: two bits tell them."""
    bad_pixels: SourceArray | None
    """(cells, 3, rows, columns): bits of European XFEL's ``BadPixels``; None: none is known."""
    noise: SourceArray | None
    """(cells, 3, rows, columns): spread without light; None: nobody asked for it."""

    @property
    def cells(self) -> int:
        """How many memory cells they are of."""
        return min(self._lengths)

    @property
    def of_any_cell(self) -> bool:
        """Whether they are of one cell without a number, as of JUNGFRAU's single pictures."""
        return self.thresholds is None and max(self._lengths) == 1

    @property
    def _lengths(self) -> tuple[int, ...]:
        every = (self.offset, self.gain, self.thresholds, self.bad_pixels, self.noise)
        return tuple(array.shape[0] for array in every if array is not None)

    def read(self, cell: int, *, noise: bool = False) -> CellConstants:
        """Read the constants of one memory cell."""
        cell = 0 if self.of_any_cell else cell
        offset = _one(self.offset, cell, np.float32)
        return CellConstants(
            offset,
            _one(self.gain, cell, np.float32),
            _of_bits(offset.shape[1:])
            if self.thresholds is None
            else _one(self.thresholds, cell, np.float32),
            np.zeros(offset.shape, np.uint32)
            if self.bad_pixels is None
            else _one(self.bad_pixels, cell, np.uint32),
            None if self.noise is None or not noise else _one(self.noise, cell, np.float32),
            divided=self.thresholds is None,
        )


def tell_by_bits(datasets: Sequence[SourceDataset]) -> bool:
    """Say whether constants are of a detector whose gain two bits tell: they are units per keV.

    Raises
    ------
    ReductionError
        Some are of the one kind, and some of the other.
    """
    kinds = {
        role: [each for each in datasets if any(r.partition("@")[0] == role for r in each.roles)]
        for role in ("adu_per_kev", "thresholds")
    }
    if kinds["adu_per_kev"] and kinds["thresholds"]:
        raise ReductionError(
            "constants with thresholds of a digital word, as of AGIPD, and with units per keV, as "
            "of JUNGFRAU",
            where=", ".join(str(each.record.pid) for each in datasets),
            next_step="give the constants of one detector",
        )
    return bool(kinds["adu_per_kev"])


def named_modules(datasets: Sequence[SourceDataset]) -> frozenset[str]:
    """Give the names of the modules that datasets have constants of."""
    roles = (role.partition("@") for each in datasets for role in each.roles)
    return frozenset(module for role, _, module in roles if role == "offset" and module)


def find_constants(
    datasets: Sequence[SourceDataset], modules: Sequence[Module], *, noise: bool, bits: bool
) -> tuple[ModuleConstants, ...]:
    """Find the constants of modules, in their order.

    A role of a module's constants ends in ``@`` and the module's name, as in ``offset@AGIPD03``;
    without such an end it is for the only module.

    Parameters
    ----------
    noise
        Whether it has to be there.
    bits
        Whether two bits tell the gain (`tell_by_bits`).

    Raises
    ------
    RoleMissingError, ReductionError
        Some are missing, were never written, stand in several datasets, or have another shape.
    """
    gain = ("adu_per_kev",) if bits else ("relative_gain", "thresholds")
    needed = ("offset", *gain, *(("noise",) if noise else ()))
    only = len(modules) == 1
    return tuple(_of_module(datasets, module, only, needed) for module in modules)


def _of_module(
    datasets: Sequence[SourceDataset], module: Module, only: bool, needed: Sequence[str]
) -> ModuleConstants:
    end = f"@{module.name}"
    having = [each for each in datasets if f"offset{end}" in each.roles]
    if not having and only:
        # Without a name; or a module that nothing names, and constants of but one.
        (name,) = named if len(named := named_modules(datasets)) == 1 else ("",)
        end = f"@{name}" if name and module.name == UNNAMED else ""
        having = [each for each in datasets if f"offset{end}" in each.roles]
    if len(having) != 1:
        kind = RoleMissingError if not having else ReductionError
        raise kind(
            f"{len(having) or 'none'} of the datasets of constants has the role "
            f"'offset@{module.name}'",
            where=", ".join(str(each.record.pid) for each in datasets),
            next_step="give one dataset with the constants of each module: constants=PID; these "
            f"are of {', '.join(sorted(named_modules(datasets))) or 'no module by name'}",
        )
    dataset = having[0]
    found: dict[str, SourceArray | None] = dict.fromkeys(_PLANES)
    for role in (*needed, "bad_pixels"):
        if role in needed or f"{role}{end}" in dataset.roles:
            array = array_for(dataset, f"{role}{end}", f"is the {role} of {module.name}")
            found[role] = _checked(array, _PLANES[role], module, dataset)
            if role == "bad_pixels":
                _check_bits(array, dataset)
    gain = found["relative_gain"] if "relative_gain" in needed else found["adu_per_kev"]
    return ModuleConstants(
        offset=cast("SourceArray", found["offset"]),
        gain=cast("SourceArray", gain),
        thresholds=found["thresholds"],
        bad_pixels=found["bad_pixels"],
        noise=found["noise"],
    )


def _checked(
    array: SourceArray, planes: int, module: Module, dataset: SourceDataset
) -> SourceArray:
    wanted = (planes, *module.shape)
    where = f"{dataset.record.pid}, {array.path}"
    if len(array.shape) != 4 or array.shape[1:] != wanted or array.dtype.kind not in "uif":
        raise ReductionError(
            f"constants of shape {array.shape} and type {array.dtype} for {module.name}",
            where=where,
            next_step=f"give numbers of shape (cells, {', '.join(map(str, wanted))})"
            + _turned(array.shape, wanted),
        )
    if array.unwritten():
        raise ReductionError("the constants were never written, or only in part", where=where)
    return array


def _check_bits(array: SourceArray, dataset: SourceDataset) -> None:
    if array.dtype.kind not in "ui" or array.dtype.itemsize > np.dtype(np.uint32).itemsize:
        raise ReductionError(
            f"bad_pixels of type {array.dtype}, and their bits are whole numbers of 32 bits",
            where=f"{dataset.record.pid}, {array.path}",
            next_step="save them as such: numpy.nan_to_num(bad_pixels, nan=2048).astype('uint32')",
        )


def _turned(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Say which axes stand elsewhere, where those of a shape are the wanted ones in another order.

    Files of European XFEL's database have the axes (columns, rows, cells, gains) or (rows, columns,
    cells, gains), as the attribute ``dims`` of the newer ones tells.
    """
    orders = (
        [order for order in permutations(range(4)) if tuple(shape[n] for n in order)[1:] == wanted]
        if len(shape) == 4
        else []
    )
    if not orders:
        return ""
    names = ("cells", "gains", "rows", "columns")
    told = ", ".join(names[orders[0].index(n)] for n in range(4))
    return f"; these may be ({told}): turn them with numpy.transpose(constants, {orders[0]})"


def _of_bits(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Give thresholds that part 0, 1 and more."""
    return np.stack([np.zeros(shape, np.float32), np.ones(shape, np.float32)])


def _one(array: SourceArray, cell: int, dtype: type[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array.read(cell, cell + 1)[0], dtype)
