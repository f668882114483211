"""The reduce job: from datasets to a derived dataset with its history."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hsc import settings
from hsc.client import Catalog
from hsc.errors import HscError, StoreError, StoreUnavailableError
from hsc.ingestion import write_tree
from hsc.jobs.derived import Derived, DerivedPlace
from hsc.jobs.describing import without_people
from hsc.jobs.inputs import LocatedInputs, locate_inputs, named
from hsc.jobs.permission import check_reduction
from hsc.jobs.preflight import check_workers
from hsc.jobs.rebuilding import tell_version
from hsc.jobs.recorded import subject
from hsc.jobs.requests import ReducedDataset, ReduceRequest
from hsc.jobs.room import check_stream_room
from hsc.jobs.stages import InProcess, Stage
from hsc.jobs.telling import open_catalog
from hsc.jobs.working import named_workers
from hsc.model import ArraySummary, Dataset, Record, plain_json
from hsc.provenance import RunningActivity, cpu_level, environment, recorded, write_crate
from hsc.reductions import Outputs, Reduction, find_reduction
from hsc.store import (
    Manifest,
    NewTree,
    VersionWriter,
    abandon_version,
    holding,
    open_objects,
    place_attempt,
)
from hsc.workers import Progress, Silent, Workers, left_running

NUMERIC = ("llvmlite", "numba", "numpy", "scipy")
"""What numbers are computed with, whatever the reduction."""


def reduce(
    request: ReduceRequest,
    *,
    stage: Stage | None = None,
    progress: Progress | None = None,
    retry_of: str | None = None,
) -> ReducedDataset:
    """Run a reduction; what comes of it is a private dataset that knows what it came from.

    Parameters
    ----------
    request
        Which reduction, on what, with which parameters.
    stage
        What runs each step; None: plain calls.
    progress
        Hears how far it is; None: nobody.
    retry_of
        ULID of the failed activity that it tries again; None: it is a first try.

    Raises
    ------
    UnknownReductionError, ParameterError, RoleMissingError, DatasetNotFoundError
        The request can't be met.
    DamageError
        An input's bytes are missing or wrong.
    """
    started = time.perf_counter()
    driver, heard = stage or InProcess(), progress or Silent()
    with (
        open_catalog() as catalog,
        recorded(
            catalog,
            "reduce",
            request.document(),
            runner=driver.runner,
            flow_run_id=driver.flow_run_id,
            retry_of=retry_of,
        ) as activity,
        _said_where(request),
    ):
        reduction = find_reduction(request.name)
        parameters = reduction.parse(request.given, request.sources)
        inputs = locate_inputs(request, reduction, catalog)
        _note_begin(activity, reduction, inputs, parameters, request.sources)
        inputs.check_once()
        check_reduction(catalog, inputs.first, activity.activity.used)
        # Should it be killed, its instrument's staff and its proposal find it all the same.
        catalog.record(activity.activity)
        derived, results = _made(request, reduction, inputs, parameters, activity, driver, heard)
        dataset = driver(f"register {request.name}", register, derived, catalog, activity)
    return ReducedDataset(
        pid=dataset.pid,
        reduction=request.name,
        inputs=tuple(pid for _, pid in inputs.named),
        root=dataset.root,
        seconds=round(time.perf_counter() - started, 3),
        results=inputs.told(results),
        files=tuple(sorted(derived.outputs.files)),
    )


@contextmanager
def _said_where(request: ReduceRequest) -> Iterator[None]:
    """Have an error that names no place name what was to be reduced."""
    try:
        yield
    except HscError as error:
        error.where = error.where or subject(request.name, request.inputs)
        raise


def _made(
    request: ReduceRequest,
    reduction: Reduction[Any],
    inputs: LocatedInputs,
    parameters: Record,
    activity: RunningActivity,
    driver: Stage,
    progress: Progress,
) -> tuple[Derived, dict[str, Any]]:
    """Reduce and write on one set of workers; give what is there, and its numbers for people."""
    place = DerivedPlace(inputs, settings.store_url())
    with named_workers(request.workers) as workers, holding(activity.id):
        # A store that takes nothing is told before hours of work, not after.
        with _cleared(place):
            begin(place, activity, workers)
            run = (inputs.open(), parameters, workers, progress)
            outputs = driver(f"reduce {request.name}", reduction.run, *run)
        _note_facts(activity, outputs)
        derived = Derived(reduction.name, place, outputs)
        write = (derived, activity, workers, progress)
        return derived, driver(f"write {request.name}", write_derived, *write)


def begin(place: DerivedPlace, activity: RunningActivity, workers: Workers) -> None:
    """Place the attempt in the store's log and its notes where it will write; try the workers.

    Raises
    ------
    StoreError
        The store takes no writes there.
    WorkerUnfitError
        Workers can't write there, or would make other bytes.
    """
    objects, location = open_objects(place.store), place.location
    place_attempt(objects, "reduce", place.pid, place.version, location, activity=activity.id)
    # The store may take a line in its log and nothing in this folder: so the first note is here.
    VersionWriter(objects, location).begin([])
    check_workers(workers, (), place.store, location, NUMERIC)


@contextmanager
def _cleared(place: DerivedPlace, writing: Workers | None = None) -> Iterator[None]:
    """Remove what was written if the block fails, but for what tasks may still be writing."""
    try:
        yield
    except Exception as error:
        _clear(place, error)
        raise
    except BaseException as error:
        # Ctrl-C waits for no task for long. Where one still writes, `hsc gc` clears up.
        if writing is None or (writing.processes == 1 and not left_running()):
            _clear(place, error)
        raise


def _clear(place: DerivedPlace, cause: BaseException) -> None:
    objects = open_objects(place.store)
    if isinstance(cause, StoreUnavailableError) and str(cause.where).startswith(objects.url):
        return  # it was waited for already; `hsc gc` clears up when it is back
    try:
        abandon_version(objects, place.location)
    except (StoreError, OSError) as error:
        # The first error is the one to tell; that the rest could not be cleared belongs to it.
        cause.add_note(f"what was written could not be removed: {error}")


def write_derived(
    derived: Derived, activity: RunningActivity, workers: Workers, progress: Progress
) -> dict[str, Any]:
    """Write and commit what came of a reduction, after `begin`; give its numbers for people."""

    def explain(manifest: Manifest, arrays: list[ArraySummary]) -> bytes:
        dataset = derived.record(manifest, arrays)
        version = dataset.pid.at(dataset.version)
        activity.note(
            generated=(version,), output_roots=(dataset.root,), bytes_out=dataset.bytes_out
        )
        edges = activity.edges(version, derived.inputs.named)
        return write_crate(without_people(dataset), activity.as_done(), edges)

    outputs, place = derived.outputs, derived.place
    with _cleared(place, workers):
        check_stream_room(outputs.streams, place.store, workers)
        written = write_tree(
            outputs.tree,
            place.store,
            place.location,
            explain,
            files=outputs.files,
            streams=outputs.streams,
            workers=workers,
            progress=progress,
        )
    return {**outputs.results, **written.results}


def register(derived: Derived, catalog: Catalog, activity: RunningActivity) -> Dataset:
    """Tell the catalog of a derived dataset that is committed."""
    people = derived.inputs.first.people
    return tell_version(
        catalog,
        derived.place.url,
        activity,
        lambda made: made.model_copy(update={"people": people}),
    )


def _note_begin(
    activity: RunningActivity,
    reduction: Reduction[Any],
    inputs: LocatedInputs,
    parameters: Record,
    sources: dict[str, str],
) -> None:
    every = parameters.document()
    activity.note(
        **inputs.place,
        used=tuple(named(record) for record in inputs.records),
        input_roots=tuple(record.root for record in inputs.records),
        bytes_in=inputs.bytes_in,
        environment=environment((*NUMERIC, *reduction.packages)),
        parameters={
            "name": reduction.name,
            "version": reduction.version,
            "order": reduction.order,
            "cpu": cpu_level(),
            "inputs": [list(pair) for pair in inputs.named],
            "parameters": every,
            "sources": {name: sources.get(name, "default") for name in every},
            "store": settings.store_url(),
            "dask": settings.dask(),
        },
    )


def _note_facts(activity: RunningActivity, outputs: Outputs) -> None:
    """Note what was found in the datasets: what the reduction says, and what its tree tells of."""
    known = activity.activity.parameters
    facts = {**_told_by(outputs.tree, known["parameters"]), **outputs.facts}
    activity.note(parameters={**known, "facts": plain_json(facts)})


def _told_by(tree: NewTree, given: dict[str, Any]) -> dict[str, Any]:
    """Give what NXparameters groups hold beside the parameters that were given, by path."""
    groups = {
        each.path for each in tree.groups if each.attributes.get("NX_class") == "NXparameters"
    }
    found: dict[str, dict[str, Any]] = {}
    for array in tree.arrays:
        group, _, name = array.path.rpartition("/")
        if group in groups and not array.values.shape:
            value = array.values.item()
            if isinstance(value, float) and not math.isfinite(value):
                value = str(value)
            if name not in given or given[name] != value:
                found.setdefault(group, {})[name] = value
    return {path: dict(sorted(values.items())) for path, values in sorted(found.items())}
