"""The examples of the page on opening datasets run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

import hsc

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "open-a-dataset.md"


def write_source(path: Path) -> np.ndarray:
    frames = np.random.default_rng(0).integers(0, 99, (6, 40, 50)).astype("u2")
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs.update(NX_class="NXentry", default="data")
        entry["title"] = "lysozyme, second try"
        data = entry.create_group("data")
        data.attrs.update(NX_class="NXdata", signal="frames", axes=["angle", ".", "."])
        data.create_dataset("frames", data=frames, chunks=(1, 40, 50)).attrs["units"] = "counts"
        data["angle"] = np.linspace(0, 0.5, 6)
        entry["again"] = h5py.SoftLink("/entry/data")
        sample = entry.create_group("sample")
        sample["depends_on"] = "/entry/sample/omega"
        sample["omega"] = np.linspace(0, 0.5, 6)
        sample["omega"].attrs.update(
            transformation_type="rotation", units="deg", vector=[1, 0, 0], depends_on="."
        )
    return frames


def test_the_page_on_opening_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = write_source(tmp_path / "lysozyme.h5")
    hsc.ingest(tmp_path / "lysozyme.h5")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102
    assert len(blocks) >= 6
    assert np.array_equal(names["first"], frames[0])
    assert np.array_equal(names["mean"], frames[:4].mean(axis=0))
    assert np.array_equal(names["near"], frames[3])
    assert np.array_equal(names["row"], frames[2, 10:20])
    assert names["title"] == "lysozyme, second try"
    assert names["link"].path == "/entry/data"
    said = capsys.readouterr().out
    assert "/entry/sample/omega rotation deg (6, 4, 4)" in said
    assert "counts" in said
