"""The layouts of calibration pictures: mask, flat field, dark; or told by what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import LayoutError
from hsc.hdf5 import FileState
from hsc.layouts.decoded import Decoded, DecodedArray, decoded_run, plain_values
from hsc.layouts.picture_files import Pictures, picture_format, read_pictures
from hsc.layouts.run import Run

_DETECTOR = "/entry/instrument/detector"
_COUNT_TIME = f"{_DETECTOR}/count_time"


@dataclass(frozen=True, slots=True)
class PictureLayout:
    """A file of one picture of a detector, or a few."""

    name: str
    """Its name."""
    role: str
    """What its picture is for."""

    def recognises(self, path: Path) -> bool:
        """Take NPY, TIFF, EDF and Fit2D's masks."""
        return bool(picture_format(path))

    def read(self, path: Path, time_zone: str) -> Run:
        """Decode a picture.

        Raises
        ------
        LayoutError
            It is no picture, or none that can have this role.
        """
        state = FileState(path)
        pictures = read_pictures(path)
        values = plain_values(pictures.values, str(path))
        _refuse(path, self.role, values)
        groups = {
            "/entry": {"NX_class": "NXentry"},
            "/entry/instrument": {"NX_class": "NXinstrument"},
            _DETECTOR: {"NX_class": "NXdetector"},
        }
        main = f"{_DETECTOR}/{self.role}"
        arrays = [DecodedArray(main, values, facts=pictures.facts)]
        roles = {self.role: main}
        if self.role != "pixel_mask" and pictures.count_time_s is not None:
            arrays.append(_count_time(pictures))
            roles["count_time"] = _COUNT_TIME
        decoded = Decoded(arrays, roles, groups=groups)
        return decoded_run(path, self.name, state, decoded, read_picture)


class AnyPictureLayout:
    """A file of a picture that tells by itself what it is: only masks do."""

    name = "picture"

    def recognises(self, path: Path) -> bool:
        """Take what any layout of pictures takes."""
        return MASK.recognises(path)

    def read(self, path: Path, time_zone: str) -> Run:
        """Decode a picture, a mask if it is of booleans or of 0 and 1.

        Raises
        ------
        LayoutError
            It is none; what else it is nobody can tell from numbers.
        """
        pictures = read_pictures(path)
        if _is_mask(pictures.values):
            return MASK.read(path, time_zone)
        raise LayoutError(
            f"whether it is a mask, a flat field or a dark can't be known from its content: "
            f"{pictures.values.dtype.name} of shape {pictures.values.shape}",
            where=str(path),
            next_step="say it: --layout mask, --layout flatfield or --layout dark",
        )


MASK = PictureLayout("mask", "pixel_mask")
FLATFIELD = PictureLayout("flatfield", "flatfield")
DARK = PictureLayout("dark", "dark")
PICTURE = AnyPictureLayout()


def read_picture(path: str, array: str) -> NDArray[Any]:
    """Decode an array of a file of pictures again."""
    pictures = read_pictures(Path(path))
    if array == _COUNT_TIME:
        return _count_time(pictures).values
    return plain_values(pictures.values, path)


def _count_time(pictures: Pictures) -> DecodedArray:
    return DecodedArray(_COUNT_TIME, np.array(pictures.count_time_s, np.float64), {"units": "s"})


def _is_mask(values: NDArray[Any]) -> bool:
    """Tell whether a picture is of booleans, or of 0 and 1 and has both."""
    if values.dtype.kind == "b":
        return True
    return values.dtype.kind in "iu" and bool(
        (np.min(values), np.max(values)) == (0, 1)  # whole numbers have none between
    )


def _refuse(path: Path, role: str, values: NDArray[Any]) -> None:
    kinds = "biu" if role == "pixel_mask" else "iuf"
    dimensions = (2,) if role == "pixel_mask" else (2, 3)
    if values.dtype.kind not in kinds or values.ndim not in dimensions:
        wanted = {
            "pixel_mask": "one picture of booleans or whole numbers: 0 is good, else bad",
            "flatfield": "a picture of numbers, or several",
            "dark": "a picture of numbers, or several",
        }
        raise LayoutError(
            f"{values.dtype.name} of shape {values.shape} can't be a {role}, which is "
            f"{wanted[role]}",
            where=str(path),
            next_step="say what it is with --layout, or save it as that",
        )
