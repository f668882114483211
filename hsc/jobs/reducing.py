"""The reduce job: from datasets to a derived dataset with its history."""

from __future__ import annotations

import time

from hsc import settings
from hsc.client import Catalog
from hsc.ingestion import write_tree
from hsc.jobs.describing import inherited, lasting, without_people
from hsc.jobs.locating import Located, locate
from hsc.jobs.permission import check_reduction
from hsc.jobs.placing import by_path, version_folder
from hsc.jobs.rebuilding import tell_version
from hsc.jobs.requests import ReducedDataset, ReduceRequest
from hsc.jobs.stages import InProcess, Stage
from hsc.jobs.telling import open_catalog
from hsc.jobs.working import named_workers
from hsc.layouts import find_facility
from hsc.model import ArraySummary, Dataset, Kind, Pid, now
from hsc.provenance import RunningActivity, recorded, write_crate
from hsc.reading import open_dataset
from hsc.reductions import Inputs, Outputs, find_reduction
from hsc.store import Manifest, abandon_version, holding, open_objects, place_attempt
from hsc.workers import Progress, Silent

_VERSION = 1

LocatedInputs = tuple[tuple[str, Located], ...]
"""Name of the input and where its dataset is, in the order that they were given."""
InputRecords = tuple[tuple[str, Dataset], ...]
"""Name of the input and the dataset's record, likewise."""


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
    ):
        located = _inputs(request, catalog, activity)
        inputs = tuple((role, each.record) for role, each in located)
        check_reduction(catalog, _first(inputs), activity.activity.used)
        outputs = driver(f"reduce {request.name}", run_reduction, request, located, heard)
        dataset = driver(
            f"register {request.name}", register, request, inputs, outputs, catalog, activity
        )
    return ReducedDataset(
        pid=dataset.pid,
        reduction=request.name,
        inputs=tuple(_named(record) for _, record in inputs),
        root=dataset.root,
        seconds=round(time.perf_counter() - started, 3),
        results=outputs.results,
    )


def run_reduction(request: ReduceRequest, located: LocatedInputs, progress: Progress) -> Outputs:
    """Run a reduction on the workers that ``HSC_DASK`` names; nothing is written."""
    opened = Inputs(tuple((role, open_dataset(each.record, each.others)) for role, each in located))
    with named_workers(request.workers) as workers:
        return find_reduction(request.name).run(opened, request.parameters, workers, progress)


def register(
    request: ReduceRequest,
    inputs: InputRecords,
    outputs: Outputs,
    catalog: Catalog,
    activity: RunningActivity,
) -> Dataset:
    """Write and commit what came of a reduction, then tell the catalog."""
    store = settings.store_url()
    first = _first(inputs)
    pid = Pid.generate(find_facility(first.facility).pid_prefix)
    year = str((first.collected or first.created).year)
    places = (first.facility, first.instrument, year, first.proposal)
    location = version_folder(pid, _VERSION, places)
    url = f"{store.rstrip('/')}/{location}"
    roles = {_named(record): role for role, record in inputs}

    def explain(manifest: Manifest, arrays: list[ArraySummary]) -> bytes:
        dataset = _record(request, inputs, outputs, pid, url, manifest, arrays)
        version = pid.at(_VERSION)
        activity.note(
            generated=(version,), output_roots=(dataset.root,), bytes_out=dataset.bytes_out
        )
        return write_crate(
            without_people(dataset), activity.as_done(), activity.edges(version, roles)
        )

    with holding(activity.id):
        objects = open_objects(store)
        place_attempt(objects, "reduce", pid, _VERSION, location, activity=activity.id)
        try:
            write_tree(outputs.tree, store, location, explain)
        except Exception:
            abandon_version(objects, location)
            raise
    people = _first(inputs).people
    return tell_version(
        catalog, url, activity, lambda made: made.model_copy(update={"people": people})
    )


def _inputs(request: ReduceRequest, catalog: Catalog, activity: RunningActivity) -> LocatedInputs:
    reduction = find_reduction(request.name)
    parameters = reduction.parse(request.parameters)
    names = reduction.input_names(role for role, _ in request.inputs)
    located = tuple(
        (name, locate(catalog, pid)) for name, (_, pid) in zip(names, request.inputs, strict=True)
    )
    inputs = tuple((role, each.record) for role, each in located)
    activity.note(
        used=tuple(_named(record) for _, record in inputs),
        input_roots=tuple(record.root for _, record in inputs),
        bytes_in=sum(record.bytes_out for _, record in inputs),
        parameters={
            "name": request.name,
            "version": reduction.version,
            "inputs": [[role, _named(record)] for role, record in inputs],
            "parameters": parameters.model_dump(mode="json"),
            "store": settings.store_url(),
            "dask": settings.dask(),
        },
    )
    return located


def _first(inputs: InputRecords) -> Dataset:
    """Give the input that the result is about: the sample, else what was given first."""
    samples = [record for role, record in inputs if role == "sample"]
    return samples[0] if samples else inputs[0][1]


def _named(record: Dataset) -> str:
    return str(record.pid.at(record.version))


def _record(
    request: ReduceRequest,
    inputs: InputRecords,
    outputs: Outputs,
    pid: Pid,
    url: str,
    manifest: Manifest,
    arrays: list[ArraySummary],
) -> Dataset:
    first, every = _first(inputs), tuple(record for _, record in inputs)
    return Dataset(
        **inherited(first, every, outputs.technique),
        pid=pid,
        version=_VERSION,
        kind=Kind.DERIVED,
        title=outputs.title,
        created=now(),
        root=manifest.root,
        layout=f"reduction/{request.name}",
        location=url,
        bytes_in=sum(record.bytes_out for _, record in inputs),
        bytes_out=manifest.nbytes,
        arrays=by_path(arrays),
        quantities={**lasting(first, every), **outputs.quantities},
        keywords=(request.name,),
    )
