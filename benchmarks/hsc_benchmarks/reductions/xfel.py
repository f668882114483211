"""Correction of a module's pictures: the fused kernel against the same steps in numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import CellConstants, CorrectionRule, correct_frame
from hsc.testing import AgipdModel
from hsc_benchmarks.reductions.comparing import Row, compare

_FRAMES = 32
_WANTED = 9.0
_CHIP = 64


def measure_xfel(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time offset, gain, mask and common mode of modules of 512 x 128 pixels, one thread each."""
    model = AgipdModel(shape=(512, 128), cells=1)
    words = [model.picture(0, train, 0) for train in range(_FRAMES)]
    known = {role: values[0] for role, values in model.constants(0).items()}
    known.pop("noise")
    constants = CellConstants(**known)
    rows = []
    for name, common_mode in (("with common mode", True), ("without common mode", False)):
        rule = CorrectionRule(model.photon_adu, common_mode)

        def ours(rule: CorrectionRule = rule) -> None:
            into = tuple(np.empty(model.shape, kind) for kind in ("f4", "u1", "u4"))
            for analog, digital in words:
                correct_frame(analog, digital, constants, rule, into)  # type: ignore[arg-type]

        def by_numpy(rule: CorrectionRule = rule) -> None:
            for analog, digital in words:
                _correct(analog, digital, constants, rule)

        arms = {"hsc": ours, "numpy, the same steps": by_numpy}
        rows += compare(
            f"AGIPD module 512 x 128 corrected, {name}, per picture",
            arms,
            units=_FRAMES,
            wanted={"numpy, the same steps": _WANTED},
            rounds=rounds,
            say=say,
        )
    return rows


def _correct(
    analog: NDArray[Any], digital: NDArray[Any], constants: CellConstants, rule: CorrectionRule
) -> NDArray[np.float32]:
    """Correct a picture with whole-array operations."""
    low, high = constants.thresholds
    stage = (digital > low).astype(np.intp) + (digital > high)

    def of(values: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = np.take_along_axis(values, stage[None], axis=0)[0]
        return found

    values: NDArray[np.float32] = analog.astype(np.float32) - of(constants.offset)
    values *= of(constants.relative_gain)
    mask = of(constants.bad_pixels)
    mask |= np.where(np.isfinite(values), 0, 1 << 11).astype(np.uint32)
    bad = mask != 0
    if rule.common_mode:
        dark = (stage == 0) & ~bad & (values < rule.photon_adu / 2)
        for top in range(0, analog.shape[0], _CHIP):
            for left in range(0, analog.shape[1], _CHIP):
                chip = np.s_[top : top + _CHIP, left : left + _CHIP]
                values[chip] -= np.median(values[chip][dark[chip]])
    values[bad] = np.nan
    np.bincount(stage.reshape(-1), minlength=3)
    np.nansum(values, dtype=np.float64)
    return values
