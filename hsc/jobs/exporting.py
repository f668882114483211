"""The export job: from a dataset in the store to a file that other programs read."""

from __future__ import annotations

from pathlib import Path

from hsc.client import Catalog, connect
from hsc.errors import RoleMissingError
from hsc.exporting import SasCurve, SasStep, write_nxcansas
from hsc.model import Dataset, Pid
from hsc.reading import OpenedDataset, open_dataset

_HISTORY_DEPTH = 20


def export(pid: str | Pid, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a reduced curve as an NXcanSAS file.

    Parameters
    ----------
    pid
        A dataset with the roles ``q``, ``intensity`` and ``intensity_error``.
    path
        The file to make.
    overwrite
        Replace a file that is there.

    Returns
    -------
    path
        The file.

    Raises
    ------
    RoleMissingError
        The dataset holds no curve.
    ObjectExistsError
        A file is there and ``overwrite`` is False.
    """
    with connect() as catalog:
        record = catalog.get(Pid.parse(pid))
        dataset = open_dataset(record)
        write_nxcansas(path, _curve(dataset, catalog), overwrite=overwrite)
    return Path(path)


def _curve(dataset: OpenedDataset, catalog: Catalog) -> SasCurve:
    record = dataset.record
    try:
        q, intensity, error = (dataset.role(name) for name in ("q", "intensity", "intensity_error"))
    except RoleMissingError as missing:
        raise RoleMissingError(
            "the dataset holds no curve; this release exports curves only",
            where=str(record.pid),
            next_step="reduce it first, as in `hsc reduce biosaxs sample=PID buffer=PID`; "
            "hsc.open(pid) reads any dataset",
        ) from missing
    wavelength = record.quantities.get("wavelength")
    distance = record.quantities.get("detector_distance")
    return SasCurve(
        q=q.read(),
        intensity=intensity.read(),
        error=error.read(),
        title=record.title,
        run=f"{record.pid}@{record.version}",
        q_unit=str(q.attributes["units"]),
        intensity_unit=str(intensity.attributes["units"]),
        sample_name=record.sample,
        instrument=record.instrument,
        wavelength_angstrom=_si(wavelength, 1e-10),
        distance_m=_si(distance, 1.0),
        steps=tuple(_steps(record, catalog)),
    )


def _si(quantity: object, unit: float) -> float | None:
    si = getattr(quantity, "si", lambda: None)()
    return None if si is None else si[0] / unit


def _steps(record: Dataset, catalog: Catalog) -> list[SasStep]:
    """Give the activities that led here, the first of them first."""
    pid = record.pid.at(record.version)
    history = catalog.lineage(pid, up=True, down=False, depth=_HISTORY_DEPTH)
    steps = [
        SasStep(
            name=node.title.split(",")[0],
            description=node.title,
            note=", ".join(
                edge.object for edge in history.edges
                if edge.subject == node.id and edge.predicate == "used"
            ),
        )
        for node in history.nodes
        if node.kind == "activity"
    ]  # fmt: skip
    return steps[::-1]
