"""Runs as DECTRIS's FileWriter lays them out in its format "hdf5 nexus v2024.2 nxmx".

One stack of dimensions image, channel, row, column: a virtual dataset in the master file over the
data files, with the names, attributes and units of DECTRIS's public documentation of FileWriter 2.
How its data files look inside is not published; here they are as in the older format, with a
dimension for channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from hsc.testing.dectris_run import DectrisRun

CHANNELS = ("threshold_1", "threshold_2", "difference")
_STACK = "/entry/data/data"

ChannelFrame = Callable[[int, int], NDArray[Any]]
"""Gives frame ``index`` (from 0) of channel ``number`` as an array (Y, X) of the run's type."""


def write_dectris_channels(
    folder: Path,
    run: DectrisRun,
    frame: ChannelFrame,
    channels: Sequence[str] = CHANNELS,
) -> Path:
    """Write a run's master file and data files.

    Parameters
    ----------
    folder
        Where the files go; made if absent. Files that are there are not written over.
    run
        What the files say.
    frame
        Gives the pixels.
    channels
        Names of the channels, in order.

    Returns
    -------
    Path
        The master file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, numbers in run.data_files():
        with h5py.File(folder / name, "x") as file:
            stack = _stack(file, run, len(numbers), len(channels))
            stack.attrs["image_nr_low"] = np.uint64(numbers.start + 1)
            stack.attrs["image_nr_high"] = np.uint64(numbers.stop)
            for row, index in enumerate(numbers):
                for channel in range(len(channels)):
                    stack[row, channel] = frame(index, channel)
    master = folder / f"{run.name}_master.h5"
    with h5py.File(master, "x", libver="latest") as file:
        _entry(file, run)
        _data(file, run, channels)
        _instrument(file, run, channels)
        _sample(file, run)
    return master


def _stack(file: Any, run: DectrisRun, frames: int, channels: int) -> Any:
    rows, columns = run.detector.shape
    _group(file, "entry", "NXentry")
    _group(file, "entry/data", "NXdata")
    return file.create_dataset(
        _STACK,
        shape=(frames, channels, rows, columns),
        maxshape=(None, channels, rows, columns),
        chunks=(1, 1, rows, columns),
        dtype=run.dtype,
        **hdf5plugin.Bitshuffle(nelems=0, cname="lz4"),
    )


def _entry(file: Any, run: DectrisRun) -> None:
    file.attrs["default"] = "entry"
    entry = _group(file, "entry", "NXentry")
    entry.attrs["default"] = "data"
    entry.attrs["version"] = "1.0"
    entry.attrs["DECTRIS_lab_geometry"] = "mcstas"
    entry["definition"] = "NXmx"
    entry["start_time"] = run.start_time
    entry["end_time_estimated"] = run.start_time
    entry["program_name"] = "DECTRIS-DAQ"
    entry["program_name"].attrs["version"] = "2024.2"
    if run.proposal:
        entry["experiment_identifier"] = run.proposal


def _data(file: Any, run: DectrisRun, channels: Sequence[str]) -> None:
    data = _group(file, "entry/data", "NXdata")
    data.attrs["signal"] = "data"
    data.attrs["axes"] = ["image_id", "channel", ".", "."]
    for name, axis in (("image_id", 0), ("start_time", 0), ("channel", 1)):
        data.attrs[f"{name}_indices"] = axis
    data["image_id"] = np.arange(1, run.frames + 1, dtype=np.uint64)
    data["start_time"] = np.arange(run.frames) * run.frame_time_s
    data["start_time"].attrs["units"] = "s"
    data.create_dataset("channel", data=list(channels), dtype=h5py.string_dtype())
    shape = (run.frames, len(channels), *run.detector.shape)
    layout = h5py.VirtualLayout(shape, run.dtype)
    for name, numbers in run.data_files():
        part = (len(numbers), *shape[1:])
        layout[numbers.start : numbers.stop] = h5py.VirtualSource(name, _STACK, part)
    data.create_virtual_dataset("data", layout)


def _instrument(file: Any, run: DectrisRun, channels: Sequence[str]) -> None:
    instrument = _group(file, "entry/instrument", "NXinstrument")
    if run.instrument:
        instrument["name"] = run.instrument
    beam = _group(instrument, "beam", "NXbeam")
    _number(beam, "incident_wavelength", run.wavelength_nm * 10, "angstrom")
    _number(beam, "incident_energy", run.photon_energy_eV, "eV")
    detector = _group(instrument, "detector", "NXdetector")
    column, row = run.beam_center_px
    pixel = run.detector.pixel_size_m
    for name, value, units in (
        ("beam_center_x", column, "pixel"),
        ("beam_center_y", row, "pixel"),
        ("count_time", run.count_time_s, "s"),
        ("frame_time", run.frame_time_s, "s"),
        ("distance", run.distance_m, "m"),
        ("x_pixel_size", pixel, "m"),
        ("y_pixel_size", pixel, "m"),
        ("sensor_thickness", run.detector.sensor_thickness_m, "m"),
    ):
        _number(detector, name, value, units)
    detector["description"] = run.detector.description
    detector["serial_number"] = run.detector.detector_number
    detector["saturation_value"] = np.int64(run.saturation)
    detector["number_of_cycles"] = np.int64(1)
    for number, channel in enumerate(channels):
        _channel(detector, run, channel, number)


def _channel(detector: Any, run: DectrisRun, channel: str, number: int) -> None:
    group = _group(detector, f"{channel}_channel", "NXdetector_channel")
    half = run.photon_energy_eV / 2
    if channel == "difference":
        group["threshold_energy"] = np.array([half, 1.5 * half])
    else:
        group["threshold_energy"] = half * (1 + number / 2)
        group["pixel_mask"] = run.detector.gap_mask()
        group["flatfield"] = np.full(run.detector.shape, 1 + number, np.float32)
    group["threshold_energy"].attrs["units"] = "eV"


def _sample(file: Any, run: DectrisRun) -> None:
    sample = _group(file, "entry/sample", "NXsample")
    if run.sample:
        sample["name"] = run.sample
    sample["depends_on"] = "/entry/sample/transformations/omega"
    turned = _group(sample, "transformations", "NXtransformations")
    _number(turned, "omega", np.zeros(run.frames), "degree")


def _number(group: Any, name: str, value: Any, units: str) -> None:
    group[name] = value
    group[name].attrs["units"] = units


def _group(parent: Any, name: str, nx_class: str) -> Any:
    group = parent.require_group(name)
    group.attrs["NX_class"] = nx_class
    return group
