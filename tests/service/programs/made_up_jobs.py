"""Drives PrefectRunner with jobs that do next to nothing; writes what came of each as JSON."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

from hsc.errors import CatalogUnavailableError, HscError, SourceMissingError
from hsc.jobs import (
    IngestedDataset,
    IngestReport,
    IngestRequest,
    PathFailure,
    ReducedDataset,
    ReduceRequest,
    Stage,
)
from hsc.model import Pid
from hsc.workers import Progress, Silent
from hsc_pipelines.runner import PrefectRunner

PID = Pid.parse("hsc.local/01ARZ3NDEKTSV4RRFFQ69G5FAV")


class Unpicklable:
    """A plan that can't be written to disk: only this process may hold it."""

    def __reduce__(self) -> str:
        raise TypeError("a plan was about to be written to disk")


class MadeUpJobs:
    """Ingests nothing, in the steps of an ingest."""

    def __init__(self) -> None:
        self.flow_run_id: str | None = None

    def ingest(
        self,
        request: IngestRequest,
        *,
        stage: Stage | None = None,
        progress: Progress | None = None,
    ) -> IngestReport:
        assert stage is not None
        assert progress is not None
        self.flow_run_id = stage.flow_run_id
        print("said inside a job")  # noqa: T201  (a flow must not let it reach stdout)
        datasets, errors = [], []
        for path in request.paths:
            try:
                plan = stage(f"inspect {path}", self._inspect, path)
                assert isinstance(stage(f"write {path}", lambda plan: plan, plan), Unpicklable)
            except SourceMissingError as error:
                errors.append(
                    PathFailure(path=path, error=type(error).__name__, message=error.message)
                )
            else:
                datasets.append(self._dataset(path))
        return IngestReport(datasets=tuple(datasets), errors=tuple(errors))

    def reduce(
        self,
        request: ReduceRequest,
        *,
        stage: Stage | None = None,
        progress: Progress | None = None,
    ) -> ReducedDataset:
        assert stage is not None
        self.flow_run_id = stage.flow_run_id
        stage("integrate", lambda: None)
        inputs = tuple(f"{role}={pid}" for role, pid in request.inputs)
        return ReducedDataset(pid=PID, reduction=request.name, inputs=inputs, root="r", seconds=0.1)

    def _inspect(self, path: str) -> Unpicklable:
        if "absent" in path:
            raise SourceMissingError("there is no such file", where=path)
        if "catalog" in path:
            raise CatalogUnavailableError(
                "the catalog\nis away", where="sqlite:///there", next_step="wait for it"
            )
        if "bug" in path:
            raise LookupError("a mistake in hsc")
        return Unpicklable()

    def _dataset(self, path: str) -> IngestedDataset:
        return IngestedDataset(
            pid=PID,
            version=1,
            layout="plain",
            root="r",
            bytes_in=2_000_000_000,
            bytes_out=1,
            seconds=2.0,
            arrays=(),
            gaps=(),
            source=path,
        )


def ingested(*paths: str) -> dict[str, Any]:
    """Ingest through the runner, and tell what came out of it."""
    jobs = MadeUpJobs()
    answer: dict[str, Any] = {}
    try:
        report = PrefectRunner(jobs).ingest(IngestRequest(paths=paths), Silent())
        answer["report"] = report.document()
    except HscError as error:
        answer["raised"] = error.document()
        answer["from_the_job"] = "_inspect" in traceback.format_exc()
    except Exception as error:
        answer["raised"] = {"error": type(error).__name__, "message": str(error)}
    return {**answer, "flow_run_id": jobs.flow_run_id}


def reduced() -> dict[str, Any]:
    """Reduce through the runner."""
    jobs = MadeUpJobs()
    request = ReduceRequest(
        name="azimuthal", inputs=(("", PID), ("buffer", PID.at(2))), parameters={"bins": 100}
    )
    answer = PrefectRunner(jobs).reduce(request, Silent())
    return {"reduced": answer.document(), "flow_run_id": jobs.flow_run_id}


if __name__ == "__main__":
    cases = {
        "fine": lambda: ingested("/data/a{b}.h5", "/data/c.h5"),
        "one failed": lambda: ingested("/data/c.h5", "/data/absent.h5"),
        "catalog away": lambda: ingested("/data/catalog.h5"),
        "bug": lambda: ingested("/data/bug.h5"),
        "reduced": reduced,
    }
    chosen = sys.argv[1:] or list(cases)
    sys.stdout.write(json.dumps({name: cases[name]() for name in chosen}))
