"""What NeXus files say of a measurement: title, sample, proposal, time, wavelength and distance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import h5py
import numpy as np

from hsc.hdf5 import decode_text, inside
from hsc.layouts.run import Facts
from hsc.model import Quantity

# Planck constant times speed of light in keV angstrom (CODATA 2018, exact constants).
_HC_KEV_ANGSTROM = 12.398419843320026

# What h5py raises for links that lead nowhere and for damaged or foreign structures.
_UNREADABLE = (KeyError, OSError, RuntimeError, TypeError, ValueError)

# Where NeXus and DECTRIS files keep a quantity, and the unit that a file means when it names none.
_QUANTITIES = {
    "wavelength": ("instrument/beam/incident_wavelength", "instrument/monochromator/wavelength"),
    "detector_distance": ("instrument/detector/detector_distance", "instrument/detector/distance"),
    "count_time": ("instrument/detector/count_time",),
    "photon_energy": (
        "instrument/beam/incident_energy",
        "instrument/monochromator/energy",
        "instrument/detector/detectorSpecific/photon_energy",
    ),
}
_DEFAULT_UNITS = {
    "wavelength": "angstrom",
    "detector_distance": "m",
    "count_time": "s",
    "photon_energy": "eV",
}


def read_facts(file: h5py.File, time_zone: str) -> Facts:
    """Read what a file says of its measurement; what it does not say stays None.

    Parameters
    ----------
    file
        An open file.
    time_zone
        IANA zone of times that are written without one.
    """
    entry = _entry(file)
    if entry is None:
        return Facts()
    return Facts(
        title=_text(entry, "title") or "",
        instrument=_text(entry, "instrument/name") or _text(entry, "instrument/short_name"),
        proposal=_text(entry, "proposal_identifier") or _text(entry, "experiment_identifier"),
        sample=_text(entry, "sample/name"),
        collected=_time(_text(entry, "start_time"), time_zone),
        quantities=_quantities(entry),
    )


def _entry(file: h5py.File) -> h5py.Group | None:
    for name in sorted(map(str, file)):
        try:
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                continue
            node = file[name]
            kind = node.attrs.get("NX_class", "")
        except _UNREADABLE:  # the walk names what can't be read; here it is as good as absent
            continue
        if isinstance(node, h5py.Group) and _plain_text(kind) == "NXentry":
            return node
    return None


def _quantities(entry: h5py.Group) -> Mapping[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, paths in _QUANTITIES.items():
        for path in paths:
            quantity = _quantity(entry, path, _DEFAULT_UNITS[name])
            if quantity is not None:
                found[name] = quantity
                break
    if "photon_energy" not in found and "wavelength" in found:
        wavelength = found["wavelength"].si()
        if wavelength is not None and wavelength[0] > 0:
            energy_keV = _HC_KEV_ANGSTROM / (wavelength[0] * 1e10)  # noqa: N806 (the unit's sign)
            found["photon_energy"] = Quantity(value=energy_keV, unit="keV")
    return found


def _quantity(entry: h5py.Group, path: str, unit: str) -> Quantity | None:
    dataset = _dataset(entry, path)
    if dataset is None or dataset.size != 1 or dataset.dtype.kind not in "iuf":
        return None
    try:
        value = float(np.asarray(dataset[()]).ravel()[0])
        written = _plain_text(dataset.attrs.get("units", ""))
    except _UNREADABLE:
        return None
    return Quantity(value=value, unit=written or unit) if np.isfinite(value) else None


def _text(entry: h5py.Group, path: str) -> str | None:
    dataset = _dataset(entry, path)
    if dataset is None or dataset.size != 1 or h5py.check_string_dtype(dataset.dtype) is None:
        return None
    try:
        return _plain_text(np.asarray(dataset[()], object).ravel()[0]) or None
    except _UNREADABLE:
        return None


def _dataset(entry: h5py.Group, path: str) -> h5py.Dataset | None:
    # A fact that can't be read is as good as absent.
    try:
        node = inside(entry, path)
        there = isinstance(node, h5py.Dataset) and node.shape is not None and node.dtype.kind
    except _UNREADABLE:
        return None
    return node if there else None


def _plain_text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    return (decode_text(value) or "").strip() if isinstance(value, bytes | str) else ""


def _time(text: str | None, time_zone: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))
