"""Reading, decoding and reducing in one go, against the best decode and the best kernel alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray

from hsc.kernels import GoodRange
from hsc.reading import OpenedArray, open_dataset
from hsc.reductions import find_reduction, integrate, stack_of, sum_stack
from hsc.workers import Silent, ThreadWorkers
from hsc_benchmarks.reductions.comparing import Row, time_by_turns
from hsc_benchmarks.reductions.stacks import Stack, make_stack

_FRAMES, _HELD = 64, 8
_GOOD = GoodRange(0, 65534, 65535)
_WANTED = 0.85


class Decoded:
    """A stack whose frames are there already, the same few again and again: nothing is read.

    Parameters
    ----------
    array
        The stack.
    """

    def __init__(self, array: OpenedArray) -> None:
        self.path, self.attributes = array.path, array.attributes
        self.shape, self.dtype, self.chunks = array.shape, array.dtype, array.chunks
        self._held = array.read(0, _HELD)

    def batches(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        rows: int,
        band: tuple[int, int] | None = None,
    ) -> Iterator[NDArray[Any]]:
        """Give frames that are in memory."""
        end = self.shape[0] if stop is None else stop
        for first in range(start, end, min(rows, _HELD)):
            yield self._held[: min(rows, _HELD, end - first), slice(*(band or (None, None)))]

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Give none: kernels take batches."""
        raise NotImplementedError(f"rows {start} to {stop}")

    def unwritten(self) -> tuple[int, ...]:
        """Give none."""
        return ()

    def scalar(self) -> float:
        """Give nothing that is of use."""
        return float(self._held.flat[0])


def measure_fused(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time reductions, their kernels on decoded frames, and decoding of bytes that are in memory.

    The ratio is that of the two parts' sum and the whole: 1 where reading, checking and all else
    cost nothing.
    """
    with make_stack(folder, say, frames=_FRAMES, mean_counts=100.0) as stack:
        frames = stack.opened()
        parameters = find_reduction("azimuthal").parse({"bins": 1000})
        curves: Any = stack_of(open_dataset(stack.record), parameters)
        held, one = Decoded(frames), ThreadWorkers(1)
        decode = _decoding(stack, frames)
        runs: dict[str, Callable[[Any], object]] = {
            "azimuthal": lambda array: integrate(replace(curves, frames=array), one, Silent()),
            "statistics": lambda array: sum_stack(array, _GOOD, (), one, Silent()),
        }
        arms: dict[str, Callable[[], object]] = {"decode": decode}
        for name, run in runs.items():
            arms[f"{name}: kernel"] = lambda run=run: run(held)  # type: ignore[misc]
            arms[f"{name}: in one go"] = lambda run=run: run(frames)  # type: ignore[misc]
        clock, processor = time_by_turns(arms, rounds, say)
    rows = [_row("decode alone", "numcodecs, from memory", clock, processor, "decode")]
    for name in runs:
        kernel, whole = f"{name}: kernel", f"{name}: in one go"
        rows.append(_row("kernel alone", name, clock, processor, kernel))
        made = _row("decode and kernel by both in one go", name, clock, processor, whole)
        rows.append(
            replace(
                made,
                ratio=(clock["decode"] + clock[kernel]) / clock[whole],
                processor_ratio=(processor["decode"] + processor[kernel]) / processor[whole],
                wanted=_WANTED,
            )
        )
    return rows


def _decoding(stack: Stack, frames: OpenedArray) -> Callable[[], object]:
    """Give what decodes all frames from memory into one buffer, unchecked."""
    version = open_dataset(stack.record).version
    entry_key = f"data.zarr{frames.path}/c/0/0/0"
    entry = version.entry(entry_key)
    if entry is None:
        raise KeyError(entry_key)
    # As many as are decoded, so that they lie no nearer to the processor than a file does.
    chunks = [version.read_chunk(entry_key, number) for number in range(len(entry.chunks))]
    buffer = np.empty((_HELD, *stack.shape), frames.dtype)

    def decode() -> None:
        for number in range(_FRAMES):
            blosc.decompress(chunks[number % len(chunks)], buffer[number % _HELD])

    return decode


def _row(
    what: str, arm: str, clock: dict[str, float], processor: dict[str, float], name: str
) -> Row:
    return Row(
        f"{what}, 4 Mpx u2, per frame",
        arm,
        1000 * clock[name] / _FRAMES,
        processor_ms=1000 * processor[name] / _FRAMES,
    )
