"""Which pixel goes into which bin of q, with which weight; built once per worker."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import BinTable, PixelOrder, bin_normalization, bin_table, pixel_order
from hsc.model import canonical_json
from hsc.reductions.azimuthal.geometry import Geometry
from hsc.reductions.base import SourceArray


@dataclass(frozen=True, slots=True)
class Mask:
    """A picture of bad pixels, by reference and by digest."""

    array: SourceArray
    """Where to read it: rows, columns; anything but 0 is bad."""
    digest: str
    """BLAKE3 of the picture as 0 and 1."""


@dataclass(frozen=True, slots=True)
class Binning:
    """Everything that decides which pixel counts where; small enough to travel with each task."""

    geometry: Geometry
    """Where detector, beam and sample were."""
    bins: int
    """Number of bins, equal in q."""
    q_min_per_nm: float
    """Lower edge of the first bin."""
    q_max_per_nm: float
    """Upper edge of the last bin, which includes it."""
    solid_angle: bool = True
    """Whether intensities are divided by the pixels' solid angle."""
    polarization_factor: float | None = None
    """Degree of polarisation that is corrected for; None: no correction."""
    masks: tuple[Mask, ...] = ()
    """Bad pixels; any of them excludes."""

    def edges_per_nm(self) -> NDArray[np.float64]:
        """Give the edges of the bins, shape (bins + 1,), 1/nm."""
        return np.linspace(self.q_min_per_nm, self.q_max_per_nm, self.bins + 1)

    def key(self) -> str:
        """Give the digest that tables are kept under: the same key, the same table."""
        return blake3(canonical_json(self.document())).hexdigest()

    def document(self) -> dict[str, Any]:
        """Give everything that decides the table as plain JSON values."""
        return {
            "geometry": self.geometry.document(),
            "bins": self.bins,
            "q_min_per_nm": self.q_min_per_nm,
            "q_max_per_nm": self.q_max_per_nm,
            "solid_angle": self.solid_angle,
            "polarization_factor": self.polarization_factor,
            "masks": [mask.digest for mask in self.masks],
        }


@dataclass(frozen=True, slots=True)
class PixelTable:
    """A binning worked out for every pixel."""

    bins: BinTable
    """Bin of each pixel."""
    order: PixelOrder
    """Pixels of each bin."""
    weights: NDArray[np.float32]
    """Normalisation of each pixel, flat: solid angle × polarisation, float32 as pyFAI has it."""
    normalization: NDArray[np.float64]
    """Its sum over each bin."""


def mask_of(array: SourceArray) -> Mask:
    """Read a picture of bad pixels and refer to it.

    Raises
    ------
    ReductionError
        It is no picture of whole numbers or booleans, or was never written.
    """
    return Mask(array, _mask_digest(_read_mask(array)))


def labels_of(q: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the bin of each pixel: lower edge included, upper not, but for the last bin; else -1.

    The edges decide by comparison, as in `numpy.histogram`.

    Examples
    --------
    >>> labels_of(np.array([0.0, 0.9, 1.0, 2.0, 2.1]), np.array([0.0, 1.0, 2.0]))
    array([ 0,  0,  1,  1, -1])
    """
    labels = np.searchsorted(edges, q, side="right").astype(np.int64) - 1
    labels[q == edges[-1]] = len(edges) - 2
    labels[(labels >= len(edges) - 1) | np.isnan(q)] = -1
    return labels


def pixel_table(binning: Binning) -> PixelTable:
    """Give the table of a binning, built at most once while it is among the last few used.

    Safe to call from many threads; the others wait for the one that builds.

    Raises
    ------
    ReductionError
        A mask does not fit the frames, or has changed since the work was planned.
    """
    return _tables.get(binning)


def _build(binning: Binning) -> PixelTable:
    geometry = binning.geometry
    labels = labels_of(geometry.q_per_nm(), binning.edges_per_nm())
    for mask in binning.masks:
        bad = _read_mask(mask.array)
        if bad.shape != geometry.shape:
            raise ReductionError(
                f"a mask of shape {bad.shape} for frames of shape {geometry.shape}",
                where=mask.array.path,
                next_step="give a mask with one value for each pixel of a frame",
            )
        if _mask_digest(bad) != mask.digest:
            raise ReductionError(
                "the mask is not the one that the work was planned with", where=mask.array.path
            )
        labels[bad] = -1
    weights = np.ones(labels.shape, dtype=np.float32)
    if binning.polarization_factor is not None:
        weights *= geometry.polarization(binning.polarization_factor).astype(np.float32)
    if binning.solid_angle:
        weights *= geometry.solid_angle().astype(np.float32)
    table = bin_table(labels, binning.bins)
    order = pixel_order(table)
    flat = weights.reshape(-1)
    return PixelTable(table, order, flat, bin_normalization(table, order, flat))


def _read_mask(array: SourceArray) -> NDArray[np.bool_]:
    if array.unwritten():  # it would read as zeros, which say that every pixel is good
        raise ReductionError(
            "the mask was never written, or only in part",
            where=array.path,
            next_step="give another one, as in mask=PID, or ingest the whole run",
        )
    picture = np.asarray(array.read())
    if picture.ndim != 2 or picture.dtype.kind not in "bui":
        raise ReductionError(
            f"a mask of shape {picture.shape} and type {picture.dtype}",
            where=array.path,
            next_step="give a picture of whole numbers: 0 is good, anything else is bad",
        )
    return np.asarray(picture != 0, dtype=np.bool_)


def _mask_digest(bad: NDArray[np.bool_]) -> str:
    shape = canonical_json(list(bad.shape))
    return blake3(shape + np.packbits(bad).tobytes()).hexdigest()


class _Tables:
    """The last few tables of this process."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Future[PixelTable]] = OrderedDict()

    def get(self, binning: Binning) -> PixelTable:
        key = binning.key()
        with self._lock:
            future = self._kept.get(key)
            mine = future is None
            if future is None:
                future = self._kept[key] = Future()
            self._kept.move_to_end(key)
            while len(self._kept) > self._room:
                self._kept.popitem(last=False)
        if mine:
            try:
                future.set_result(_build(binning))
            except BaseException as error:
                with self._lock:
                    self._kept.pop(key, None)
                future.set_exception(error)
        return future.result()


# About 60 MB for a detector of 4 megapixels; sample and buffer may differ in geometry.
_tables = _Tables(room=4)
