"""Opened datasets in memory: frames of a known particle on a small detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from hsc.errors import RoleMissingError
from hsc.model import Dataset, Kind, Pid

WAVELENGTH_ANGSTROM = 1.0
DISTANCE_M = 2.0
PIXEL_M = 172e-6


@dataclass(frozen=True)
class MemoryArray:
    """An array of an opened dataset, in memory."""

    path: str
    values: np.ndarray
    attributes: Mapping[str, Any] = field(default_factory=dict)
    chunks: tuple[int, ...] = (1,)
    absent: tuple[int, ...] = ()

    @property
    def shape(self):
        return self.values.shape

    @property
    def dtype(self):
        return self.values.dtype

    def read(self, start=0, stop=None):
        return self.values[start:stop].copy()

    def batches(self, start=0, stop=None, *, rows, band=None):
        whole = self.values[start:stop] if band is None else self.values[start:stop, slice(*band)]
        buffer = np.empty((min(rows, len(whole)), *whole.shape[1:]), whole.dtype)
        for first in range(0, len(whole), rows):
            batch = buffer[: min(rows, len(whole) - first)]
            batch[...] = whole[first : first + rows]
            yield batch

    def unwritten(self):
        return self.absent

    def scalar(self):
        return self.values.reshape(-1)[0].item()


@dataclass(frozen=True)
class MemoryDataset:
    """An opened dataset, in memory."""

    record: Dataset
    arrays: Mapping[str, MemoryArray]

    @property
    def roles(self):
        return {role: array.path for role, array in self.arrays.items()}

    def role(self, name):
        if name not in self.arrays:
            raise RoleMissingError(f"no role {name}")
        return self.arrays[name]

    def without(self, *roles):
        kept = {role: array for role, array in self.arrays.items() if role not in roles}
        return MemoryDataset(self.record, kept)

    def having(self, **arrays):
        return MemoryDataset(self.record, {**self.arrays, **arrays})


def number(role, value, units=None):
    attributes = {} if units is None else {"units": units}
    return MemoryArray(f"/entry/{role}", np.asarray(value), attributes)


def open_memory(frames, **others) -> MemoryDataset:
    """Give a dataset with frames and the metadata that a DECTRIS file has."""
    rows, columns = frames.shape[1:]
    arrays = {
        "frames": MemoryArray("/entry/data/data", frames, chunks=(1, rows, columns)),
        "wavelength": number("wavelength", WAVELENGTH_ANGSTROM),
        "distance": number("distance", DISTANCE_M, "m"),
        "x_pixel_size": number("x_pixel_size", PIXEL_M, "m"),
        "y_pixel_size": number("y_pixel_size", PIXEL_M, "m"),
        "beam_center_x": number("beam_center_x", columns * 0.11, "pixel"),
        "beam_center_y": number("beam_center_y", rows * 0.52, "pixel"),
        "count_time": number("count_time", 0.5, "s"),
        "sample_name": MemoryArray("/entry/sample/name", np.array("lysozyme")),
        **others,
    }
    record = Dataset(
        pid=Pid.generate("hsc.local"),
        kind=Kind.RAW,
        title="run 7",
        facility="local",
        instrument="P12",
        created="2026-11-22T10:00:00Z",
        root="blake3:0",
        layout="dectris",
        location="memory://",
        bytes_in=0,
        bytes_out=0,
    )
    return MemoryDataset(record, arrays)


@pytest.fixture
def in_memory() -> Callable[..., MemoryDataset]:
    return open_memory


@pytest.fixture
def scalar_array() -> Callable[..., MemoryArray]:
    return number


@pytest.fixture(scope="session")
def memory_array() -> type[MemoryArray]:
    return MemoryArray


@pytest.fixture(scope="session")
def picture() -> Callable[..., MemoryArray]:
    return lambda values: MemoryArray("/entry/mask", values)


@pytest.fixture
def random_frames() -> Callable[..., np.ndarray]:
    """Draw frames with sentinels, zeros and saturated pixels."""

    def draw(count=13, shape=(60, 50), dtype=np.uint16, seed=3):
        rng = np.random.default_rng(seed)
        frames = rng.poisson(3, (count, *shape)).astype(dtype)
        frames[rng.random(frames.shape) < 0.001] = np.iinfo(dtype).max
        return frames

    return draw


@pytest.fixture(scope="session")
def scattering() -> Callable[..., tuple[MemoryDataset, MemoryDataset]]:
    """Draw sample and buffer frames of a sphere in water, Poisson noise and all."""

    def draw(radius_nm=3.0, frames=8, shape=(220, 200), seed=11):
        rng = np.random.default_rng(seed)
        y, x = np.indices(shape)
        r_m = PIXEL_M * np.hypot(y + 0.5 - shape[0] * 0.52, x + 0.5 - shape[1] * 0.11)
        two_theta = np.arctan(r_m / DISTANCE_M)
        q_per_nm = 4 * np.pi / (WAVELENGTH_ANGSTROM / 10) * np.sin(two_theta / 2)
        qr = q_per_nm * radius_nm
        form = (3 * (np.sin(qr) - qr * np.cos(qr)) / qr**3) ** 2
        solid = np.cos(two_theta) ** 3
        sample = rng.poisson((200 * form + 5) * solid, (frames, *shape)).astype(np.uint16)
        buffer = rng.poisson(5 * solid, (frames, *shape)).astype(np.uint16)
        return open_memory(sample), open_memory(buffer)

    return draw
