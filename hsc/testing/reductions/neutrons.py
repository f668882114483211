"""Examples of reductions of neutron events."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hsc.jobs import IngestRequest, ReduceRequest, ingest_one
from hsc.store import NewArray, NewTree
from hsc.testing.ess import measure_events, write_event_file
from hsc.testing.ess_model import EventRun, EventSansModel, StrawBank
from hsc.testing.reductions.placing import keep_dataset

_MODEL = EventSansModel(
    banks=(StrawBank("rear", straws=12, pixels=12, pitch_m=0.08, radius_m=0.02),),
    forward=160.0,
    cell=3.2,
    incident_counts=20_000.0,
    wavelengths_angstrom=(2.0, 9.0),
)
_RUNS: dict[str, EventRun] = {
    "sample": "sample",
    "background": "cell",
    "transmission": "sample_transmission",
    "background_transmission": "cell_transmission",
    "empty_beam": "empty_beam",
}
_PARAMETERS = {
    "wavelength_min_angstrom": 2.0,
    "wavelength_max_angstrom": 9.0,
    "wavelength_bins": 35,
    "q_min_per_angstrom": 0.004,
    "q_max_per_angstrom": 0.2,
    "q_bins": 20,
    "qxy_bins": 10,
}


def sans(folder: Path) -> ReduceRequest:
    """Give runs of spheres in a cell, of the cell, of transmissions, and the direct beam."""
    inputs = []
    for seed, (role, run) in enumerate(_RUNS.items()):
        path = folder / f"{run}.nxs"
        write_event_file(path, measure_events(_MODEL, run, seed=seed))
        inputs.append((role, ingest_one(IngestRequest(paths=(str(path),))).pid))
    wavelength = np.linspace(1.0, 10.0, 19)
    beam = NewTree(
        arrays=(
            NewArray("/entry/wavelength", wavelength, ("wavelength",), {"units": "angstrom"}),
            NewArray("/entry/intensity", _MODEL.efficiency(wavelength), ("wavelength",)),
        ),
        roles={"wavelength": "/entry/wavelength", "intensity": "/entry/intensity"},
    )
    inputs.append(("direct_beam", keep_dataset(beam, title="direct beam")))
    return ReduceRequest(name="sans", inputs=tuple(inputs), parameters=_PARAMETERS)
