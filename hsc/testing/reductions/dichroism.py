"""Examples of reductions of circular dichroism: scans as spectrometers export them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hsc.jobs import IngestRequest, ReduceRequest, ingest_one
from hsc.model import Pid

_HEAD = "TITLE\tthought up\nXUNITS\tNANOMETERS\nYUNITS\tCD[mdeg]\nY2UNITS\tHT [V]\nXYDATA\n"


def write_scan(path: Path, *, depth_mdeg: float, noise_mdeg: float, seed: int) -> None:
    """Write a scan from 280 down to 175 nm with a helix's two minima, as text of JASCO's kind."""
    wavelength = np.arange(280.0, 174.0, -1.0)
    bands = ((222.0, -1.0, 10.0), (208.0, -1.0, 7.0), (192.0, 2.1, 8.0))
    curve = sum(h * np.exp(-(((wavelength - at) / width) ** 2)) for at, h, width in bands)
    noise = np.random.default_rng(seed).normal(0.0, noise_mdeg, len(wavelength))
    tension = 300.0 + 3.5 * (280.0 - wavelength)
    rows = zip(wavelength, depth_mdeg * curve + 0.2 + noise, tension, strict=True)
    lines = [f"{nm:.1f}\t{mdeg:.4f}\t{volt:.1f}\n" for nm, mdeg, volt in rows]
    path.write_text(_HEAD + "".join(lines), "utf-8")


def srcd(folder: Path) -> ReduceRequest:
    """Give three scans of a protein and two of its buffer, to be brought to molar units."""
    sample = [_scan(folder / f"sample_{n}.txt", 12.0, n) for n in range(3)]
    baseline = [_scan(folder / f"buffer_{n}.txt", 0.0, 10 + n) for n in range(2)]
    return ReduceRequest(
        name="srcd",
        inputs=(
            *(("sample", pid) for pid in sample),
            *(("baseline", pid) for pid in baseline),
        ),
        parameters={
            "unit": "delta_epsilon",
            "path_cm": 0.01,
            "concentration_mg_per_ml": 0.8,
            "molar_mass_kda": 17.2,
            "residues": 153,
            "zero": True,
            "ht_max_v": 600.0,
        },
    )


def _scan(path: Path, depth_mdeg: float, seed: int) -> Pid:
    write_scan(path, depth_mdeg=depth_mdeg, noise_mdeg=0.1, seed=seed)
    return ingest_one(IngestRequest(paths=(str(path),))).pid
