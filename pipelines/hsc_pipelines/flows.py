"""The flows ``ingest`` and ``reduce``: gather arguments, call hsc.jobs, say what came of it."""

from __future__ import annotations

import os
from typing import Annotated, Any

from pydantic import Field

from hsc.errors import FlowError, HscError
from hsc.jobs import IngestReport, IngestRequest, Policy, ReduceRequest, Verify
from hsc.model import Pid
from hsc_pipelines.prefect_kit import Failed, State, flow, get_run_logger, runtime
from hsc_pipelines.progress import LogProgress
from hsc_pipelines.report import show_ingest, show_reduction
from hsc_pipelines.seat import present_seat
from hsc_pipelines.stage import PrefectStage, one_line

Result = dict[str, Any] | State[Any]


def _field(description: str, *, min_length: int | None = None, ge: int | None = None) -> Any:
    # Prefect writes None over a field's own description, and leaves what is in the extra.
    return Field(min_length=min_length, ge=ge, json_schema_extra={"description": description})


_WORKERS = _field("Threads or processes at work; empty: one for each processor", ge=1)
_ISOLATE = _field("Enter HDF5 only in a child process, so that a bad file can't crash the flow")
_MAX_RATE = _field("Bytes a second written, all workers together; empty: as fast as it goes", ge=1)
_MEMORY = _field("Bytes that shards being made may take in all; empty: not bounded", ge=1)


def _ingest_run_name() -> str:
    paths = runtime.flow_run.parameters["paths"]
    first = os.path.basename(str(paths[0]).rstrip("/")) if paths else "nothing"
    return f"ingest {first}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def _reduce_run_name() -> str:
    return f"reduce {runtime.flow_run.parameters['name']}"


# What a run returns is the report: a few kB of plain JSON that whoever started a deployment reads
# with `flow_run.state.result(raise_on_failure=False)`. Only that is kept, under PREFECT_HOME.
@flow(
    name="ingest",
    flow_run_name=_ingest_run_name,
    persist_result=True,
    result_serializer="json",
    retries=0,
    log_prints=True,
)
def ingest(
    paths: Annotated[
        list[str],
        _field("Absolute paths of files or masters of runs; each becomes a dataset", min_length=1),
    ],
    facility: Annotated[
        str | None, _field("Facility's short id; empty: HSC_FACILITY, else local")
    ] = None,
    proposal: Annotated[str | None, _field("Proposal number; empty: as the files say")] = None,
    sample: Annotated[str | None, _field("Sample's name; empty: as the files say")] = None,
    layout: Annotated[str | None, _field("Name of the layout; empty: found out")] = None,
    policy: Annotated[
        Policy, _field("strict stops at what can't be carried over, quarantine records a gap")
    ] = "strict",
    verify: Annotated[
        Verify, _field("How much is read back and compared with the source")
    ] = "sample",
    preview: Annotated[bool, _field("Make previews of image stacks, as verify full does")] = False,
    workers: Annotated[int | None, _WORKERS] = None,
    isolate: Annotated[bool | None, _ISOLATE] = True,
    max_rate: Annotated[int | None, _MAX_RATE] = None,
    memory: Annotated[int | None, _MEMORY] = None,
    max_wait_s: Annotated[
        float, _field("How long to wait for another ingest of the same source, in seconds", ge=0)
    ] = 12 * 3600.0,
) -> Result:
    """Take HDF5 files in: each path becomes one dataset in the store and the catalog."""
    request = IngestRequest(
        paths=tuple(paths),
        facility=facility,
        proposal=proposal,
        sample=sample,
        layout=layout,
        policy=policy,
        verify=verify,
        preview=preview,
        workers=workers,
        isolate=isolate is not False,
        max_rate=max_rate,
        memory=memory,
        max_wait_s=max_wait_s,
    )
    seat, log = present_seat(), get_run_logger()
    try:
        report = seat.jobs.ingest(
            request, stage=_stage(), progress=seat.progress or LogProgress(log)
        )
    except Exception as error:
        seat.error = error
        return _failed(error)
    seat.outcome = report
    show_ingest(report, log)
    if report.errors:
        failure = _paths_failed(report)
        return Failed(message=one_line(failure), data=failure)
    return report.document()


@flow(
    name="reduce",
    flow_run_name=_reduce_run_name,
    persist_result=True,
    result_serializer="json",
    retries=0,
    log_prints=True,
)
def reduce(
    name: Annotated[str, _field("Name of the reduction", min_length=1)],
    inputs: Annotated[list[str], _field("PIDs, each as PID or ROLE=PID", min_length=1)],
    parameters: Annotated[
        dict[str, Any] | None, _field("Parameters that differ from the defaults")
    ] = None,
    recipe: Annotated[
        dict[str, Any] | None, _field("Parameters of a recipe; the others go before them")
    ] = None,
    workers: Annotated[int | None, _WORKERS] = None,
) -> Result:
    """Run a reduction on datasets; what comes of it is a dataset with a history."""
    seat, log = present_seat(), get_run_logger()
    try:
        request = ReduceRequest(
            name=name,
            inputs=tuple(_role_and_pid(text) for text in inputs),
            parameters=parameters or {},
            recipe=recipe or {},
            workers=workers,
        )
        reduced = seat.jobs.reduce(
            request, stage=_stage(), progress=seat.progress or LogProgress(log)
        )
    except Exception as error:
        seat.error = error
        return _failed(error)
    seat.outcome = reduced
    show_reduction(reduced, log)
    return reduced.document()


def _stage() -> PrefectStage:
    return PrefectStage(str(runtime.flow_run.id))


def _role_and_pid(text: str) -> tuple[str, Pid]:
    role, _, pid = text.rpartition("=")
    return role, Pid.parse(pid)


def _failed(error: Exception) -> State[Any]:
    # Prefect's own message for a raised error is its whole text; the list of runs has one line.
    if not isinstance(error, HscError):
        raise error
    get_run_logger().error(str(error))
    return Failed(message=one_line(error), data=error)


def _paths_failed(report: IngestReport) -> FlowError:
    first, count = report.errors[0], len(report.errors)
    total = count + len(report.datasets)
    return FlowError(
        f"{count} of {total} paths failed; the first: {first.error}: {first.message}",
        where=first.where or first.path,
        next_step=first.next or "the run's table artifact lists every path with its error",
    )
