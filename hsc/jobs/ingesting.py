"""The ingest job: from a path to a registered dataset, step by step, one activity for each path."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path

from hsc import settings
from hsc.client import Catalog
from hsc.errors import HscError
from hsc.ingestion import (
    Plan,
    Written,
    verify_written,
    write_plan,
    write_previews,
)
from hsc.jobs.committing import abandon, known, register
from hsc.jobs.orders import Order
from hsc.jobs.permission import check_ingest, check_version, ingest_draft
from hsc.jobs.placing import Target, find_target
from hsc.jobs.planning import plan_ingest
from hsc.jobs.preflight import check_workers
from hsc.jobs.renewing import Renewing
from hsc.jobs.requests import (
    IngestedDataset,
    IngestReport,
    IngestRequest,
    PathFailure,
)
from hsc.jobs.room import check_room
from hsc.jobs.stages import InProcess, Stage
from hsc.jobs.telling import open_catalog
from hsc.jobs.working import named_workers
from hsc.layouts import find_facility
from hsc.model import Dataset, plain_text
from hsc.provenance import recorded
from hsc.store import (
    VersionWriter,
    holding,
    open_objects,
)
from hsc.workers import Progress, Silent, ending_children

_LOG = logging.getLogger(__name__)


def ingest(
    request: IngestRequest,
    *,
    stage: Stage | None = None,
    progress: Progress | None = None,
    retry_of: str | None = None,
) -> IngestReport:
    """Take files in; each path becomes one dataset.

    A path that fails does not stop the others: its error stands in the report, and its activity
    in the catalog. What a failed path wrote is removed; what a stopped one wrote is kept, and the
    next ingest of the same source goes on from there.

    Parameters
    ----------
    request
        What to take in, and how.
    stage
        What runs each step; None: plain calls.
    progress
        Hears how far it is; None: nobody.
    retry_of
        ULID of the failed activity that it tries again; None: it is a first try.

    Raises
    ------
    ConfigurationError, CatalogUnavailableError
        Before anything is read.
    """
    datasets: list[IngestedDataset] = []
    errors: list[PathFailure] = []
    with open_catalog(create=True) as catalog:
        for path in request.paths:
            try:
                done = _ingest_path(
                    Path(path),
                    request,
                    catalog,
                    stage or InProcess(),
                    progress or Silent(),
                    retry_of,
                )
            except HscError as error:
                errors.append(_failure(path, error))
            except Exception as error:
                # A night's other runs must not wait for the morning because of a defect of ours.
                _LOG.exception("a defect of hsc stopped the ingest of %s", path)
                errors.append(_failure(path, error))
            else:
                datasets.append(done)
    return IngestReport(datasets=tuple(datasets), errors=tuple(errors))


def ingest_one(request: IngestRequest) -> IngestedDataset:
    """Take the request's only path in; what goes wrong is raised.

    Raises
    ------
    SourceError, StoreError, CatalogError
        Whatever went wrong.
    """
    with open_catalog(create=True) as catalog:
        return _ingest_path(Path(request.paths[0]), request, catalog, InProcess(), Silent())


def _ingest_path(
    path: Path,
    request: IngestRequest,
    catalog: Catalog,
    stage: Stage,
    progress: Progress,
    retry_of: str | None = None,
) -> IngestedDataset:
    started = time.perf_counter()
    request = request.model_copy(update={"isolate": bool(request.isolate)})
    parameters = {
        **request.model_dump(mode="json", exclude={"paths"}),
        "path": plain_text(str(path)),
    }
    with (
        ending_children(),
        recorded(
            catalog,
            "ingest",
            parameters,
            runner=stage.runner,
            flow_run_id=stage.flow_run_id,
            retry_of=retry_of,
        ) as activity,
    ):
        activity.note(proposal=request.proposal)
        facility = find_facility(request.facility or settings.facility())
        activity.note(facility=facility.id)
        store = settings.store_url()
        # Where work runs and how it is verified are no part of what a dataset is; they are checked
        # here so that a wrong value is told before anything is written.
        activity.note(
            parameters={
                **parameters,
                "facility": facility.id,
                "store": store,
                "dask": settings.dask(),
            }
        )
        order = Order(request, facility, store, catalog, activity, stage, progress)
        plan = stage(f"inspect {path.name}", plan_ingest, path, request, facility)
        activity.note(used=(plan.source_id,), bytes_in=plan.bytes_in)
        draft = ingest_draft(order, plan)
        activity.note(instrument=draft.instrument, proposal=draft.proposal)
        check_ingest(order, plan)
        # Should it be killed, its instrument's staff and its proposal find it all the same.
        catalog.record(activity.activity)
        with holding(activity.id):
            target = find_target(plan, request, facility, store, activity.id)
            if target.committed:
                dataset, copied = known(order, plan, target), 0
            else:
                dataset, copied = _make(order, plan, target)
    report = _report(dataset, plan, plain_text(str(path)), time.perf_counter() - started)
    return report.model_copy(update={"existing": target.committed, "copied": copied})


def write_shards(order: Order, plan: Plan, target: Target) -> Written:
    """Write all shards and metadata of a plan on the workers that ``HSC_DASK`` names."""
    asked = order.request
    if not target.resumed:  # what is there already needs no more room
        check_room(plan, target.store)
    with named_workers(asked.workers, memory=asked.memory, max_rate=asked.max_rate) as workers:
        check_workers(workers, plan.run.sources, target.store, target.location)
        return write_plan(
            plan,
            target.store,
            target.location,
            workers=workers,
            progress=order.progress,
            resumed=target.resumed,
            policy=order.request.policy,
            before=target.before,
        )


def verify_shards(order: Order, plan: Plan, target: Target, written: Written) -> Written:
    """Compare what was written with the source; give it with the previews that were made."""
    how = order.request.verify
    with named_workers(order.request.workers) as workers:
        verified = verify_written(
            plan,
            target.url,
            written.entries,
            how=how,
            # With `full` every pixel is decoded anyway.
            preview=order.request.preview or how == "full",
            workers=workers,
            progress=order.progress,
        )
    writer = VersionWriter(open_objects(target.store), target.location)
    previews = write_previews(writer, verified.previews, written.entries)
    return replace(written, entries=(*written.entries, *previews))


def _make(order: Order, plan: Plan, target: Target) -> tuple[Dataset, int]:
    """Make a version; give it, and how many of its objects were copied from the one before."""
    order = replace(order, progress=Renewing(order.progress, target))
    stage, name = order.stage, plan.run.name
    try:
        check_version(order, plan, target)
        written = stage(f"write {name}", write_shards, order, plan, target)
        written = stage(f"verify {name}", verify_shards, order, plan, target, written)
        return stage(f"register {name}", register, order, plan, target, written), written.copied
    except Exception as error:
        # Ctrl-C and a kill leave what is there for the next attempt; a failure leaves nothing.
        abandon(order, target, error)
        raise


def _report(dataset: Dataset, plan: Plan, source: str, seconds: float) -> IngestedDataset:
    return IngestedDataset(
        pid=dataset.pid,
        version=dataset.version,
        layout=dataset.layout,
        root=dataset.root,
        bytes_in=dataset.bytes_in,
        bytes_out=dataset.bytes_out,
        seconds=round(seconds, 3),
        arrays=dataset.arrays,
        gaps=dataset.gaps,
        notes=tuple(map(plain_text, plan.run.notes)),
        source=source,
    )


def _failure(path: str, error: Exception) -> PathFailure:
    if isinstance(error, HscError):
        return PathFailure(path=plain_text(path), **error.document())
    return PathFailure(
        path=plain_text(path),
        error=type(error).__name__,
        message=f"a defect of hsc: {type(error).__name__}: {error}",
        where=plain_text(path),
        next="report it with the lines on stderr; `hsc doctor` may say more",
    )
