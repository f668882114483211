"""A reduced curve I(Q) as NXcanSAS, the HDF5 form that SasView and other programs read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsc.errors import ParameterError
from hsc.exporting.files import new_file

if TYPE_CHECKING:
    import h5py

_VERSION = "1.1"


@dataclass(frozen=True, slots=True)
class SasStep:
    """One step of what was done to the data."""

    name: str
    """Its name, as in ``azimuthal integration``."""
    description: str = ""
    """What it does, in a sentence."""
    date: str | None = None
    """When, ISO 8601; None: not known."""
    terms: Mapping[str, tuple[float | str, str]] = field(default_factory=dict)
    """Parameters: name to value and unit; the unit is empty for text and plain numbers."""
    note: str = ""
    """Anything more, as in the identifiers of what went in."""


@dataclass(frozen=True, slots=True)
class SasCurve:
    """A reduced curve with what a reader needs to know of it."""

    q: ArrayLike
    """Scattering vector, shape (points,), finite."""
    intensity: ArrayLike
    """Intensity, shape (points,)."""
    error: ArrayLike
    """One standard deviation of the intensity, shape (points,)."""
    title: str
    """One line for people."""
    run: str
    """Identifier of the measurement; for hsc the dataset's PID."""
    q_unit: str = "1/nm"
    """``1/nm`` or ``1/angstrom``."""
    intensity_unit: str = "arbitrary"
    """``arbitrary``, or ``1/cm`` on the absolute scale."""
    sample_name: str | None = None
    """The sample's name; None: not known."""
    instrument: str | None = None
    """The instrument's name; None: not known."""
    detector: str | None = None
    """The detector's name; None: not known."""
    radiation: str | None = None
    """The probe in NeXus' words, as in ``Synchrotron X-ray Source``; None: not known."""
    wavelength_angstrom: float | None = None
    """Wavelength of the beam; None: not known."""
    distance_m: float | None = None
    """Sample to detector; None: not known."""
    steps: tuple[SasStep, ...] = ()
    """What was done, in order."""


def write_nxcansas(
    path: str | os.PathLike[str], curve: SasCurve, *, overwrite: bool = False
) -> None:
    """Write a curve as an NXcanSAS 1.1 file; it appears whole or not at all.

    Class names and attributes follow the NeXus application definition NXcanSAS.

    Parameters
    ----------
    path
        The file to make.
    curve
        Values and what is known of them.
    overwrite
        Replace a file that is there.

    Raises
    ------
    ParameterError
        Columns of different lengths, no point, or a value of q that is not finite.
    ObjectExistsError
        A file is there and ``overwrite`` is False.
    """
    # h5py is not part of a laptop's installation.
    import h5py

    columns = _columns(curve)
    with new_file(path, overwrite=overwrite) as beside, h5py.File(beside, "x") as file:
        file.attrs["default"] = "sasentry"
        entry = _group(file, "sasentry", "NXentry", "SASentry")
        entry.attrs["version"] = _VERSION
        entry.attrs["default"] = "sasdata"
        entry["definition"] = "NXcanSAS"
        entry["title"] = curve.title
        entry["run"] = curve.run
        _write_data(entry, curve, columns)
        _write_instrument(entry, curve)
        sample = _group(entry, "sassample", "NXsample", "SASsample")
        sample["name"] = curve.sample_name or "unknown"
        for number, step in enumerate(curve.steps, start=1):
            _write_step(entry, number, step)


def _columns(curve: SasCurve) -> list[NDArray[np.float64]]:
    columns = [
        np.asarray(column, dtype=np.float64) for column in (curve.q, curve.intensity, curve.error)
    ]
    shapes = [column.shape for column in columns]
    if len(set(shapes)) != 1 or columns[0].ndim != 1 or not columns[0].size:
        raise ParameterError(
            f"q, intensity and error of shapes {', '.join(map(str, shapes))}; "
            "three columns of one length are needed"
        )
    if not np.isfinite(columns[0]).all():
        raise ParameterError("a value of q is not finite")
    return columns


def _group(parent: h5py.Group, name: str, nx_class: str, sas_class: str) -> h5py.Group:
    made = parent.create_group(name)
    made.attrs["NX_class"] = nx_class
    made.attrs["canSAS_class"] = sas_class
    return made


def _write_data(entry: h5py.Group, curve: SasCurve, columns: list[NDArray[np.float64]]) -> None:
    data = _group(entry, "sasdata", "NXdata", "SASdata")
    data.attrs["signal"] = "I"
    data.attrs["axes"] = "Q"
    data.attrs["I_axes"] = "Q"
    data.attrs["Q_indices"] = np.array([0])
    for name, values in zip(("Q", "I", "Idev"), columns, strict=True):
        data[name] = values
        data[name].attrs["units"] = curve.q_unit if name == "Q" else curve.intensity_unit
    data["I"].attrs["uncertainties"] = "Idev"


def _write_instrument(entry: h5py.Group, curve: SasCurve) -> None:
    instrument = _group(entry, "sasinstrument", "NXinstrument", "SASinstrument")
    instrument["name"] = curve.instrument or "unknown"
    source = _group(instrument, "sassource", "NXsource", "SASsource")
    if curve.radiation is not None:
        source["radiation"] = curve.radiation
    if curve.wavelength_angstrom is not None:
        source["incident_wavelength"] = float(curve.wavelength_angstrom)
        source["incident_wavelength"].attrs["units"] = "angstrom"
    detector = _group(instrument, "sasdetector", "NXdetector", "SASdetector")
    detector["name"] = curve.detector or "unknown"
    if curve.distance_m is not None:
        detector["SDD"] = float(curve.distance_m)
        detector["SDD"].attrs["units"] = "m"


def _write_step(entry: h5py.Group, number: int, step: SasStep) -> None:
    made = _group(entry, f"sasprocess{number:02d}", "NXprocess", "SASprocess")
    made["name"] = step.name
    if step.description:
        made["description"] = step.description
    if step.date is not None:
        made["date"] = step.date
    for name, (value, unit) in step.terms.items():
        if name in made or "/" in name or name == "note":
            raise ParameterError(f"a term can't be named {name!r}", where=f"step {step.name}")
        made[name] = value
        if unit:
            made[name].attrs["units"] = unit
    if step.note:
        note = _group(made, "note", "NXcollection", "SASprocessnote")
        note["note"] = step.note
