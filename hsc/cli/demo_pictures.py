"""The demo's report and pictures: I(q), the Guinier fit, one frame."""

from __future__ import annotations

from pathlib import Path

from hsc.client import connect
from hsc.exporting import (
    PlottedCurve,
    PlottedGuinier,
    plot_curves,
    plot_frame,
    plot_guinier,
)
from hsc.model import Pid
from hsc.reading import OpenedArray, OpenedDataset, open_dataset


def draw_pictures(folder: Path, reduced: Pid, sample: Pid) -> list[Path]:
    """Put the report out, draw what a reduction gave and one frame of what it came from.

    Parameters
    ----------
    folder
        Where the pictures go.
    reduced
        A dataset that the reduction ``biosaxs`` made.
    sample
        The dataset that its frames came from.
    """
    with connect() as catalog:
        result = open_dataset(catalog.get(reduced))
        source = open_dataset(catalog.get(sample))
    curves, guinier, frame = (folder / f"{name}.png" for name in ("iq", "guinier", "frame"))
    plot_curves(curves, [_curve(result, label) for label in _CURVES], title=result.record.title)
    plot_guinier(guinier, _guinier(result), title="Guinier fit")
    frames, mask = source.role("frames"), source.role("pixel_mask")
    plot_frame(frame, frames.read(0, 1)[0], title="first frame of the sample", mask=mask.read())
    return [*_report(folder, result), curves, guinier, frame]


def _report(folder: Path, result: OpenedDataset) -> list[Path]:
    """Put the report that came with the reduction where it is seen first."""
    made = []
    for name in ("report.html", "report.png"):
        made.append(folder / name)
        made[-1].write_bytes(result.files[name].read())
    return made


_CURVES = {
    "sample": "/entry_sample/data",
    "buffer": "/entry_buffer/data",
    "sample less buffer": "/entry/data",
}


def _curve(dataset: OpenedDataset, label: str) -> PlottedCurve:
    path = _CURVES[label]
    q, intensity, error = (dataset.array(f"{path}/{name}").read() for name in ("Q", "I", "Idev"))
    return PlottedCurve(label, q, intensity, error)


def _guinier(dataset: OpenedDataset) -> PlottedGuinier:
    def read(name: str) -> OpenedArray:
        return dataset.array(f"/results/guinier/{name}")

    rg_nm = float(read("rg").scalar())
    return PlottedGuinier(
        q_squared=read("q_squared").read(),
        log_intensity=read("ln_intensity").read(),
        error=read("ln_intensity_errors").read(),
        line=read("line").read(),
        rg_nm=rg_nm,
        rg_error_nm=float(read("rg_error").scalar()),
        qrg_max=float(read("q_max").scalar()) * rg_nm,
    )
