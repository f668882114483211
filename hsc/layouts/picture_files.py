"""Files of detector pictures that are no HDF5: NPY, TIFF, EDF and Fit2D's masks, value by value.

What a decoder would make up, it is kept from: EDF frames whose bytes are in another file or not all
there (fabio fills up with zeros), compressed pictures of a type that the decoder narrows, pickles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import DependencyMissingError, HscError, LayoutError, SourceTooLargeError
from hsc.layouts.decoded import file_head

MOST_BYTES = 2 * 2**30
"""So many bytes pictures of one file may have, decoded."""

_NPY, _MSK = b"\x93NUMPY", b"M\0\0\0A\0\0\0S\0\0\0K\0\0\0"
_TIFF = (b"II*\0", b"MM\0*")
_NO_COMPRESSION = 1
# TIFF 6.0, SampleFormat: what is undefined (4, or no tag) is to be read as unsigned.
_SAMPLES = {1: "u", 2: "i", 3: "f", 4: "u"}
# TIFF 6.0: Orientation, and PhotometricInterpretation (1: black is zero; 0 would be inverted, 3 are
# colours by number); the first is what a file means that does not say.
_TAKEN_AS_STORED = {274: (1,), 262: (1, 2, 3)}
_TIMES = ("exposuretime", "count_time", "acq_expo_time")


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a file of pictures holds."""

    values: NDArray[Any]
    """(rows, columns), or (frames, rows, columns) where there are several."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Format, and element type and order in the file."""
    count_time_s: float | None = None
    """How long each was exposed, s; None where the file does not say."""


def picture_format(path: Path) -> str:
    """Tell the format of a file by how it begins; empty: it is none of pictures.

    Raises
    ------
    SourceMissingError
        It can't be read.
    """
    head = file_head(path)
    if head.startswith(_NPY):
        return "npy"
    if head.startswith(_TIFF):
        return "tiff"
    if head.startswith(_MSK):
        return "fit2d mask"
    if head.lstrip()[:1] == b"{" and b"dim_1" in head.lower():
        return "edf"
    return ""


def read_pictures(path: Path) -> Pictures:
    """Decode a file of pictures, in the byte order of this machine, in C order.

    Raises
    ------
    LayoutError
        It is damaged, or no picture of numbers.
    SourceTooLargeError
        It would take more than `MOST_BYTES`.
    DependencyMissingError
        The decoder is not installed.
    """
    found = picture_format(path)
    try:
        read = _READERS[found](path)
    except HscError:
        raise
    except ImportError as error:
        raise DependencyMissingError(
            f"{found.upper()} files are read with {error.name}, which is not installed",
            where=str(path),
            next_step="install hanseatic-science-cloud[facility]",
        ) from error
    except Exception as error:
        # Decoders of foreign formats raise whatever a damaged file leads them to.
        raise _bad(path, f"the {found} file can't be decoded: {error}") from error
    if read.values.ndim not in (2, 3) or not read.values.size:
        raise _bad(path, f"it holds numbers of shape {read.values.shape}, which is no picture")
    return read


def _read_npy(path: Path) -> Pictures:
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        heads: Mapping[Any, Callable[..., Any]] = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in heads:
            raise _bad(path, f"version {version} of the NPY format")
        shape, fortran, dtype = heads[version](file)
        begin = file.tell()
    if dtype.hasobject:
        raise _bad(path, "it holds Python objects, which only running code of its would tell")
    if dtype.kind not in "biuf":
        raise _bad(path, f"its elements are of the type {dtype}")
    nbytes = _bounded(path, shape, dtype)
    if path.stat().st_size != begin + nbytes:
        raise _bad(path, f"it should have {begin + nbytes} bytes, and has {path.stat().st_size}")
    values = np.load(path, allow_pickle=False)
    order = "F" if fortran else "C"
    return Pictures(values, {"format": "npy", "dtype": dtype.str, "order": order})


def _read_tiff(path: Path) -> Pictures:
    # Of the facility's installation; this floor is imported without it.
    from fabio.TiffIO import TiffIO

    with path.open("rb") as file:
        tiff = TiffIO(file)
        infos = [tiff.getInfo(n) for n in range(tiff.getNumberOfImages())]
        looks = {_tiff_look(path, info) for info in infos}
        if len(looks) != 1:
            raise _bad(path, f"its {len(infos)} pictures differ in size or type")
        rows, columns, dtype, compression = next(iter(looks))
        _bounded(path, (len(infos), rows, columns), np.dtype(dtype))
        if compression == _NO_COMPRESSION:
            frames = [np.asarray(tiff.getData(n)) for n in range(len(infos))]
        else:
            frames = _inflated(path, len(infos), np.dtype(dtype))
    wrong = [f for f in frames if f.shape != (rows, columns) or f.dtype != np.dtype(dtype)]
    if wrong:
        raise _bad(path, f"it decodes to {wrong[0].dtype} of shape {wrong[0].shape}")
    facts = {"format": "tiff", "dtype": dtype, "compression": compression}
    return Pictures(_stacked(frames), facts)


def _tiff_look(path: Path, info: Mapping[str, Any]) -> tuple[int, int, str, int]:
    """Give rows, columns, element type and compression of a picture by its tags."""
    bits, sample = info["nBits"], info["sampleFormat"]
    if isinstance(bits, Sequence):
        raise _bad(path, "its pixels have several values (colours)")
    if bits not in (8, 16, 32, 64) or sample not in _SAMPLES:
        raise _bad(path, f"its pixels have {bits} bits (sample format {sample})")
    compression = int(info["compression_type"])
    return int(info["nRows"]), int(info["nColumns"]), f"{_SAMPLES[sample]}{bits // 8}", compression


def _inflated(path: Path, count: int, dtype: np.dtype[Any]) -> list[NDArray[Any]]:
    """Decode compressed pictures; the decoder's type has to be the file's, bit by bit."""
    # Of the facility's installation.
    from PIL import Image, ImageSequence

    frames = []
    with Image.open(path) as opened:
        tags: Mapping[int, Any] = getattr(opened, "tag_v2", {})
        for tag, plain in _TAKEN_AS_STORED.items():
            if tags.get(tag, plain[0]) not in plain:
                what = f"its tag {tag} is {tags[tag]}: the decoder would turn or invert its pixels"
                raise _bad(path, f"compressed, and {what}, which uncompressed ones are not")
        for frame in ImageSequence.Iterator(opened):
            values = np.array(frame)
            if values.dtype.itemsize != dtype.itemsize:
                raise _bad(path, f"compressed pictures of {dtype} can't be decoded")
            native = values.astype(values.dtype.newbyteorder("="))
            frames.append(native.view(dtype))
    if len(frames) != count:
        raise _bad(path, f"{len(frames)} of its {count} pictures can be decoded")
    return frames


def _read_edf(path: Path) -> Pictures:
    # Of the facility's installation.
    from fabio.edfimage import EdfImage

    with EdfImage().read(str(path)) as opened:
        frames = [opened.get_frame(n) for n in range(opened.nframes)]
        looks = {_edf_look(path, frame) for frame in frames}
        if len(looks) != 1:
            raise _bad(path, f"its {len(frames)} frames differ in size or type")
        shape, dtype = next(iter(looks))
        _bounded(path, (len(frames), *shape), np.dtype(dtype))
        times = {_exposure_s(frame.header) for frame in frames}
        order = str(_header(frames[0].header).get("byteorder", ""))
        values = _stacked([np.asarray(frame.data) for frame in frames])
    time_s = next(iter(times)) if len(times) == 1 else None
    return Pictures(values, {"format": "edf", "dtype": dtype, "byte_order": order}, time_s)


def _edf_look(path: Path, frame: Any) -> tuple[tuple[int, ...], str]:
    """Give shape and element type of a frame whose bytes are all there, in this file."""
    header = _header(frame.header)
    if getattr(frame, "bfname", None) or "edf_binaryfilename" in header:
        raise _bad(path, "the bytes of its frames are in another file")
    if header.get("compression", "none").lower() not in ("none", "none specified", ""):
        raise _bad(path, f"its frames are compressed ({header['compression']})")
    shape, dtype = tuple(map(int, frame.shape)), np.dtype(frame.dtype)
    nbytes = math.prod(shape) * dtype.itemsize
    left = path.stat().st_size - int(frame.start)
    if left < nbytes or int(frame.blobsize) < nbytes:
        raise _bad(path, f"a frame should have {nbytes} bytes, and the file has {left} for it")
    return shape, dtype.str


def _read_mask(path: Path) -> Pictures:
    # Of the facility's installation.
    from fabio.fit2dmaskimage import Fit2dMaskImage

    with path.open("rb") as file:
        columns, rows = np.frombuffer(file.read(24), "<i4")[4:6].tolist()
    _bounded(path, (rows, columns), np.dtype("u1"))
    values = Fit2dMaskImage().read(str(path)).data
    return Pictures(np.asarray(values), {"format": "fit2d mask"})


_READERS: Mapping[str, Callable[[Path], Pictures]] = {
    "npy": _read_npy,
    "tiff": _read_tiff,
    "edf": _read_edf,
    "fit2d mask": _read_mask,
}


def _stacked(frames: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return frames[0] if len(frames) == 1 else np.stack(frames)


def _bounded(path: Path, shape: Sequence[int], dtype: np.dtype[Any]) -> int:
    nbytes = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or nbytes > MOST_BYTES:
        raise SourceTooLargeError(
            f"its pictures of shape {tuple(shape)} would take {nbytes} bytes, of at most "
            f"{MOST_BYTES}",
            where=str(path),
            next_step="take in stacks as HDF5; a calibration is a picture, or a few",
        )
    return nbytes


def _header(header: Mapping[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value).strip() for name, value in header.items()}


def _exposure_s(header: Mapping[str, Any]) -> float | None:
    """Give the exposure time that a frame's header tells in seconds, as ESRF's files mean it."""
    said = _header(header)
    for name in _TIMES:
        try:
            value = float(said[name])
        except (KeyError, ValueError):
            continue
        if math.isfinite(value) and value > 0:
            return value
    return None


def _bad(path: Path, what: str) -> LayoutError:
    return LayoutError(
        what,
        where=str(path),
        next_step="write it again as an uncompressed picture of numbers (.npy, .tif, .edf)",
    )
