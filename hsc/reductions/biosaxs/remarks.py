"""What a person should know of an elution as a whole: its buffer, its baseline, its losses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hsc.reductions.biosaxs.choosing import spell_frames
from hsc.reductions.biosaxs.chromatogram import Chromatogram, ChromatogramParameters, Peak
from hsc.reductions.biosaxs.runs import Run

_END_SHARE = 0.02
_END_LEAST_FRAMES = 20
_LEVEL_SHARE = 0.02
_DEVIATIONS = 5.0


def elution_remarks(
    chromatogram: Chromatogram,
    buffer: Sequence[Run],
    parameters: ChromatogramParameters,
) -> tuple[str, ...]:
    """Say what is to be known of an elution and its buffer, in sentences.

    Parameters
    ----------
    chromatogram
        The elution.
    buffer
        Its buffer.
    parameters
        How peaks were found.
    """
    said = list(_losses(chromatogram, named=parameters.sec_peaks is not None))
    frames = sum(int(one.kept.sum()) for one in buffer)
    if frames < parameters.sec_buffer_least_frames:
        said.append(
            f"the buffer is {frames} frames, fewer than {parameters.sec_buffer_least_frames} "
            "(sec_buffer_least_frames): its noise is in every number"
        )
    return tuple(said)


def _losses(chromatogram: Chromatogram, *, named: bool) -> Iterator[str]:
    if not chromatogram.lost.any():
        return
    off = (chromatogram.intensity / chromatogram.smoothed - 1)[chromatogram.lost]
    most = float(off[np.argmax(np.abs(off))])
    kept = "they are left out unless they were named" if not named else "peaks are as named"
    yield (
        f"frames {spell_frames(chromatogram.lost)} scatter up to {abs(most):.0%} "
        f"{'less' if most < 0 else 'more'} than those around them (beam lost, bubble): {kept}"
    )


def level_remarks(
    run: Run, chromatogram: Chromatogram, buffer: Run, peaks: Sequence[Peak]
) -> Iterator[str]:
    """Compare both ends of an elution with the buffer in it: it drifts, or the cell is fouled."""
    eluting = np.zeros(run.frames, dtype=np.bool_)
    for peak in peaks:
        eluting[peak.start : peak.stop] = True
    count = max(_END_LEAST_FRAMES, round(_END_SHARE * run.frames))
    kept = buffer.kept & ~chromatogram.lost
    level = float(chromatogram.intensity[kept].mean())
    highest = max(float(chromatogram.smoothed[peak.top]) - level for peak in peaks)
    for name, part in (("beginning", slice(0, count)), ("end", slice(run.frames - count, None))):
        frames = np.zeros(run.frames, dtype=np.bool_)
        frames[part] = ~chromatogram.lost[part]
        if run.frames < 2 * count or eluting[part].any() or 2 * frames.sum() < count:
            continue
        off = float(chromatogram.intensity[frames].mean()) - level
        noise = float(np.hypot(*(
            chromatogram.error[which].mean() / np.sqrt(which.sum()) for which in (frames, kept)
        )))  # fmt: skip
        if abs(off) > max(_LEVEL_SHARE * highest, _DEVIATIONS * noise):
            yield (
                f"at its {name} (frames {spell_frames(frames)}) the elution scatters "
                f"{abs(off):.3g} {'more' if off > 0 else 'less'} than its buffer, "
                f"{abs(off) / highest:.1%} of the highest peak: the buffer drifts, the cell is "
                "fouled, or something still elutes. As much may be wrong under the peaks on that "
                "side; compare with a buffer from there: -p sec_buffer=..."
            )
