"""Examples of reductions of pictures that are taken pulse by pulse, or crystal by crystal."""

from __future__ import annotations

from pathlib import Path

from hsc.jobs import IngestRequest, ReduceRequest, ingest_one
from hsc.testing.agipd import AgipdModel, agipd_run, write_agipd_constants
from hsc.testing.crystals import CrystalModel, write_crystal_run
from hsc.testing.exfel import ExfelRun, write_exfel_run


def xfel_correct(folder: Path) -> ReduceRequest:
    """Give a run of two modules, of which one lost a train, and their constants."""
    model, modules = AgipdModel(shape=(64, 128), cells=2), (0, 1)
    run = ExfelRun(
        detector="SPB_DET_AGIPD128K-1",
        modules=modules,
        sequences=((10000, 10001), (10002,)),
        lost={1: (10001,)},
    )
    write_exfel_run(folder / "r0012", agipd_run(model, run))
    constants = write_agipd_constants(folder / "constants.h5", model, modules)
    inputs = tuple(
        (role, ingest_one(IngestRequest(paths=(str(path),))).pid)
        for role, path in (("sample", folder / "r0012"), ("constants", constants))
    )
    parameters = {"photon_adu": model.photon_adu, "sigma": True}
    return ReduceRequest(name="xfel_correct", inputs=inputs, parameters=parameters)


def hits(folder: Path) -> ReduceRequest:
    """Give frames of crystals and of none, with a mask, saturated peaks, and hits to be kept."""
    master = write_crystal_run(folder, CrystalModel(frames=7))
    inputs = (("sample", ingest_one(IngestRequest(paths=(str(master),))).pid),)
    parameters = {"hits_only_frames": True, "min_peaks": 8}
    return ReduceRequest(name="hits", inputs=inputs, parameters=parameters)
