"""What the files of one DECTRIS run say: file names, numbers, and the metadata of its master."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hsc.errors import ParameterError
from hsc.testing.detector import Detector

_PLANCK_TIMES_LIGHT_eV_nm = 1239.841984  # CODATA 2018, exact constants
_EIGER2_CUTOFF = 50649
_AXES = ("omega", "phi", "chi", "kappa")

Fields = dict[str, tuple[Any, str]]
"""Name of a dataset to its value and units; no units: an empty text."""


@dataclass(frozen=True, slots=True)
class DectrisRun:
    """What the files of one run say about it."""

    name: str = "series_1"
    """Base of the file names: ``<name>_master.h5``, ``<name>_data_000001.h5`` ..."""
    frames: int = 10
    """Frames in the run, over all triggers."""
    frames_per_file: int = 100
    """Most frames in one data file; the last one may hold fewer."""
    dtype: str = "u2"
    """Type of the counts: u1, u2 or u4."""
    detector: Detector = field(default_factory=Detector)
    """Shape, modules and pixel size."""
    wavelength_nm: float = 0.1
    """Wavelength of the beam; written in angstrom, as the detector does."""
    distance_m: float = 2.5
    """From the sample to the detector."""
    beam_center_px: tuple[float, float] = (515.0, 532.5)
    """Column and row (x, y) of the direct beam, from the outer corner of the first pixel."""
    count_time_s: float = 0.0499999
    """Time that one frame counts."""
    frame_time_s: float = 0.05
    """Time from one frame to the next."""
    triggers: int = 1
    """``ntrigger``; the frames divide evenly among them."""
    count_cutoff: int | None = None
    """``countrate_correction_count_cutoff``; None: 50649, or what a smaller type can hold."""
    start_time: str = "2026-05-04T08:00:00.000Z"
    """ISO 8601 time of the first frame."""
    proposal: str = ""
    """``/entry/experiment_identifier``; empty: not written, as with this and the next four."""
    entry_identifier: str = ""
    """``/entry/entry_identifier``, the facility's number for the run."""
    title: str = ""
    """``/entry/title``."""
    sample: str = ""
    """``/entry/sample/name``."""
    instrument: str = ""
    """``/entry/instrument/name``."""
    seed: int = 0
    """Of the default frames, for when no others are given."""
    mean_counts: float = 1.0
    """Expectation per pixel of the default frames."""

    def __post_init__(self) -> None:
        if self.dtype not in {"u1", "u2", "u4"}:
            raise ParameterError(f"this detector counts in u1, u2 or u4, not {self.dtype!r}")
        if self.frames < 1 or self.frames_per_file < 1:
            raise ParameterError(
                f"a run needs frames: {self.frames} in files of {self.frames_per_file}"
            )
        if self.triggers < 1 or self.frames % self.triggers:
            raise ParameterError(
                f"{self.frames} frames don't divide among {self.triggers} triggers"
            )

    @property
    def saturation(self) -> int:
        """The count from which a pixel is saturated."""
        if self.count_cutoff is not None:
            return self.count_cutoff
        return min(_EIGER2_CUTOFF, int(np.iinfo(self.dtype).max) - 1)

    @property
    def photon_energy_eV(self) -> float:  # noqa: N802
        """The energy of a photon of the wavelength."""
        return _PLANCK_TIMES_LIGHT_eV_nm / self.wavelength_nm

    def data_files(self) -> list[tuple[str, range]]:
        """Give each data file's name and the frames in it, numbered from 0."""
        step = self.frames_per_file
        return [
            (f"{self.name}_data_{number:06d}.h5", range(low, min(low + step, self.frames)))
            for number, low in enumerate(range(0, self.frames, step), start=1)
        ]


def entry_fields(run: DectrisRun) -> Fields:
    """Give what stands in ``/entry``."""
    return {
        "definition": ("NXmx", ""),
        "start_time": (run.start_time, ""),
        "title": (run.title, ""),
        "experiment_identifier": (run.proposal, ""),
        "entry_identifier": (run.entry_identifier, ""),
    }


def detector_fields(run: DectrisRun) -> Fields:
    """Give what stands in ``/entry/instrument/detector``."""
    detector = run.detector
    column, row = run.beam_center_px
    return {
        "beam_center_x": (np.float32(column), "pixel"),
        "beam_center_y": (np.float32(row), "pixel"),
        "bit_depth_image": (np.uint32(8 * np.dtype(run.dtype).itemsize), ""),
        "bit_depth_readout": (np.uint32(16), ""),
        "count_time": (np.float32(run.count_time_s), "s"),
        "countrate_correction_applied": (np.int32(1), ""),
        "description": (detector.description, ""),
        "detector_distance": (np.float32(run.distance_m), "m"),
        "detector_number": (detector.detector_number, ""),
        "flatfield_correction_applied": (np.int32(1), ""),
        "frame_time": (np.float32(run.frame_time_s), "s"),
        "pixel_mask_applied": (np.int32(1), ""),
        "sensor_material": (detector.sensor_material, ""),
        "sensor_thickness": (np.float32(detector.sensor_thickness_m), "m"),
        "threshold_energy": (np.float32(run.photon_energy_eV / 2), "eV"),
        "x_pixel_size": (np.float32(detector.pixel_size_m), "m"),
        "y_pixel_size": (np.float32(detector.pixel_size_m), "m"),
    }


def specific_fields(run: DectrisRun) -> Fields:
    """Give the numbers and texts of ``/entry/instrument/detector/detectorSpecific``."""
    rows, columns = run.detector.shape
    return {
        "compression": ("bslz4", ""),
        "countrate_correction_count_cutoff": (np.uint32(run.saturation), ""),
        "data_collection_date": (run.start_time, ""),
        "eiger_fw_version": ("release-2022.1.2", ""),
        "nimages": (np.uint32(run.frames // run.triggers), ""),
        "nsequences": (np.uint32(1), ""),
        "ntrigger": (np.uint32(run.triggers), ""),
        "photon_energy": (np.float32(run.photon_energy_eV), "eV"),
        "software_version": ("1.8.0", ""),
        "x_pixels_in_detector": (np.uint32(columns), ""),
        "y_pixels_in_detector": (np.uint32(rows), ""),
    }


def goniometer_fields(run: DectrisRun) -> Fields:
    """Give what stands in ``/entry/sample/goniometer``: one angle per frame, all zero."""
    # A solution does not turn: every axis stands at zero in every frame.
    still = np.float32(0)
    fields: Fields = {}
    for axis in _AXES:
        fields[axis] = (np.zeros(run.frames, np.float32), "degree")
        fields |= {
            f"{axis}_{part}": (still, "degree") for part in ("start", "increment", "range_average")
        }
    return fields
