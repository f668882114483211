"""Running a failed ingest or reduction again, with the parameters that it recorded."""

from __future__ import annotations

from pydantic import ValidationError

from hsc import settings
from hsc.errors import NotRetriableError
from hsc.jobs.recorded import recorded_given, recorded_inputs
from hsc.jobs.requests import IngestReport, IngestRequest, ReducedDataset, ReduceRequest
from hsc.jobs.telling import open_catalog
from hsc.model import Activity, ActivityState
from hsc.workers import Progress

# What activities record beside what was asked of them.
_BESIDE = {"path", "store", "dask", "version", "order", "cpu", "sources", "facts"}


def retry(activity_id: str, progress: Progress | None = None) -> IngestReport | ReducedDataset:
    """Run a failed activity again, here; the new one says which it tries again.

    Parameters
    ----------
    activity_id
        ULID of the failed activity.
    progress
        Hears how far it is; None: nobody.

    Raises
    ------
    ActivityNotFoundError
        There is none.
    NotRetriableError
        It did not fail, is neither ingest nor reduction, or went to another store than
        ``HSC_STORE`` names, whose credentials nobody recorded.
    """
    with open_catalog() as catalog:
        request = request_again(catalog.activity(activity_id))
    if isinstance(request, IngestRequest):
        # Files are read and arrays computed by parts that a researcher's installation lacks.
        from hsc.jobs.ingesting import ingest

        return ingest(request, progress=progress, retry_of=activity_id)
    from hsc.jobs.reducing import reduce

    return reduce(request, progress=progress, retry_of=activity_id)


def request_again(activity: Activity) -> IngestRequest | ReduceRequest:
    """Word what was asked of a failed activity as it can be asked again.

    Raises
    ------
    NotRetriableError
        It can't be.
    """
    _check(activity)
    asked = {name: value for name, value in activity.parameters.items() if name not in _BESIDE}
    try:
        if activity.type == "ingest":
            given = activity.parameters.get("path")
            return IngestRequest(**{**asked, "paths": asked.get("paths") or (given,)})
        given = recorded_given(activity)
        return ReduceRequest(**{**asked, **given, "inputs": recorded_inputs(activity)})
    except (TypeError, ValidationError) as error:
        raise NotRetriableError(
            "what was asked of it is not recorded in a way that this release knows",
            where=f"activity {activity.id}",
            next_step="give the command itself again",
        ) from error


def _check(activity: Activity) -> None:
    where = f"activity {activity.id}"
    if activity.state is not ActivityState.FAILED:
        raise NotRetriableError(
            f"the {activity.type} is {activity.state.value}: only what failed is tried again",
            where=where,
            next_step="`hsc activities --failed` lists what failed",
        )
    if activity.type not in ("ingest", "reduce"):
        raise NotRetriableError(
            f"a failed {activity.type} is not tried again this way",
            where=where,
            next_step=f"give the command itself again: hsc {activity.type}",
        )
    store = activity.parameters.get("store")
    if store is not None and store != settings.store_url():
        raise NotRetriableError(
            f"it was for the store {store}, and HSC_STORE names {settings.store_url()}",
            where=where,
            next_step=f"set HSC_STORE={store} and its credentials, which are never recorded",
        )
