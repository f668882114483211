"""Previews: totals per frame, mean and maximum image and a small picture of each stack of images.

They are made of pixels that are decoded anyway, and lie under ``preview/``, outside the root.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsc.ingestion.planned import PlannedArray
from hsc.store import ArraySpec

if TYPE_CHECKING:
    from hsc.kernels import ImageSums

# numba takes a second to import, and only previews need it: hsc.kernels is imported where it runs.

PREVIEW = "preview"
"""Folder of the previews in a version."""

_LEAST_PIXELS = 32
_PICTURE_PIXELS = 512
_NAMES = ("frames.npy", "totals.npy", "mean.npy", "maximum.npy", "preview.png")


def has_preview(spec: ArraySpec) -> bool:
    """Tell whether an array is a stack of images: three dimensions or more, of numbers."""
    return (
        len(spec.shape) >= 3
        and min(spec.shape[-2:]) >= _LEAST_PIXELS
        and spec.dtype.lstrip("u").startswith(("int", "float32", "float64"))
    )


def preview_keys(planned: Iterable[PlannedArray]) -> list[str]:
    """Give the keys of all preview objects that a plan's arrays may get."""
    return [
        f"{PREVIEW}/{each.spec.key}/{name}"
        for each in planned
        if has_preview(each.spec)
        for name in _NAMES
    ]


def stack_sums(
    shape: Sequence[int], dtype: str, chunks: Sequence[int], places: Iterable[Sequence[int]]
) -> ImageSums:
    """Make empty sums for the frames that some inner chunks touch.

    Parameters
    ----------
    shape, dtype, chunks
        The array and its inner chunk.
    places
        Places of the chunks in the grid of inner chunks.
    """
    from hsc.kernels import image_sums

    numbers = [_frames(shape, chunks, place) for place in places]
    frames = np.unique(np.concatenate(numbers)) if numbers else np.zeros(0, np.int64)
    return image_sums(frames, (shape[-2], shape[-1]), np.dtype(dtype))


def add_chunk(
    sums: ImageSums, shape: Sequence[int], place: Sequence[int], chunk: NDArray[Any]
) -> None:
    """Add an inner chunk of a stack to its sums.

    Parameters
    ----------
    sums
        Sums made for it by `stack_sums`.
    shape
        Shape of the array.
    place
        The chunk's place in the grid of inner chunks.
    chunk
        Its pixels, also those beyond the array's edge.
    """
    from hsc.kernels import add_block

    start = [at * length for at, length in zip(place, chunk.shape, strict=True)]
    inside = tuple(
        slice(0, min(length, end - at))
        for at, length, end in zip(start, chunk.shape, shape, strict=True)
    )
    block = chunk[inside].reshape(-1, *chunk[inside].shape[-2:])
    rows = np.searchsorted(sums.frames, _frames(shape, chunk.shape, place))
    native = block.astype(block.dtype.newbyteorder("="), copy=False)
    add_block(sums, native, rows, (start[-2], start[-1]))


def joined(some: ImageSums, more: ImageSums) -> ImageSums:
    """Join the sums of two parts of a stack."""
    from hsc.kernels import join_sums

    return join_sums([some, more])


def preview_objects(spec: ArraySpec, sums: ImageSums) -> dict[str, bytes]:
    """Give key and bytes of an array's preview: NumPy files, and a PNG of the mean image."""
    mean = sums.mean()
    arrays = (sums.frames, sums.totals, mean, sums.maxima)
    files = [_npy(array) for array in arrays] + [_png(mean)]
    return {f"{PREVIEW}/{spec.key}/{name}": data for name, data in zip(_NAMES, files, strict=True)}


def _frames(shape: Sequence[int], chunks: Sequence[int], place: Sequence[int]) -> NDArray[np.int64]:
    """Give the numbers of the frames that a chunk touches, counted through all but two axes."""
    axes = [
        np.arange(at * length, min((at + 1) * length, end))
        for at, length, end in zip(place[:-2], chunks[:-2], shape[:-2], strict=True)
    ]
    grid = np.meshgrid(*axes, indexing="ij")
    return np.ravel_multi_index([axis.ravel() for axis in grid], tuple(shape[:-2])).astype(np.int64)


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _png(mean: NDArray[np.float32]) -> bytes:
    """Draw the mean image, its brightness the logarithm of the counts."""
    # Pillow is needed for this alone.
    from PIL import Image

    small = _reduced(mean)
    shown = np.log1p(np.clip(np.nan_to_num(small, nan=0, posinf=0, neginf=0), 0, None))
    top = float(np.percentile(shown, 99.9)) or float(shown.max()) or 1.0
    grey = np.clip(np.rint(255 * shown / top), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, format="png")
    return file.getvalue()


def _reduced(image: NDArray[np.float32]) -> NDArray[np.float32]:
    step = math.ceil(max(image.shape) / _PICTURE_PIXELS)
    rows, columns = (length // step * step for length in image.shape)
    blocks = image[:rows, :columns].reshape(rows // step, step, columns // step, step)
    there = np.isfinite(blocks)
    count = np.maximum(there.sum(axis=(1, 3)), 1)
    return np.asarray(np.where(there, blocks, 0).sum(axis=(1, 3)) / count, np.float32)
