"""The verify job: every object of a version against its manifest; nothing is repaired."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from hsc.client import Catalog, Delivers
from hsc.errors import (
    CatalogError,
    DependencyMissingError,
    ForbiddenError,
    HscError,
    StoreError,
    UnauthenticatedError,
)
from hsc.jobs.checking import check_version
from hsc.jobs.locating import locate_folder, readable_places, unreadable
from hsc.jobs.telling import WhereAllowed, open_catalog
from hsc.jobs.verified import Verification, VerifiedReplica, VerifyRequest
from hsc.jobs.working import named_workers
from hsc.model import Dataset, Failure, Replica, ReplicaState, now
from hsc.provenance import RunningActivity, recorded
from hsc.store import MANIFEST_KEY, open_objects
from hsc.workers import Progress, Silent, Workers

_LOG = logging.getLogger(__name__)


def verify(request: VerifyRequest, *, progress: Progress | None = None) -> Verification:
    """Check every object of a version against its manifest; record what was found.

    The catalog is told how each replica that it knows stands now, and when it was last found
    whole. Damage is no error here: it is what was asked for. Of several replicas one that can't be
    looked at is named, and the others are.

    Raises
    ------
    DatasetNotFoundError
        There is no such dataset.
    SourceError
        The source can't be read, or is not the one that the dataset was made of.
    DependencyMissingError
        The source was to be compared with, and this installation reads no HDF5.
    """
    started, heard = time.perf_counter(), progress or Silent()
    if request.source is not None:
        _need_sources()
    with open_catalog() as catalog:
        record = catalog.get(request.pid)
        places = _places(request, record, catalog)
        with (
            recorded(WhereAllowed(catalog), "verify", request.document()) as activity,
            named_workers(request.workers) as workers,
        ):
            activity.note(used=(str(record.pid.at(record.version)),), input_roots=(record.root,))
            check = _try_version if request.every else check_version
            found = [check(record, place, workers, heard) for place in places]
            compared = None
            whole = not any(each.damaged or each.failure for each in found)
            if request.source is not None and whole:
                compared, found = _compared(request.source, record, found, workers, heard)
            activity.note(
                bytes_in=sum(each.bytes for each in found), parameters=_told(request, found)
            )
            _tell(catalog, record, found, activity)
    return _summed(record, found, compared, started)


def verify_folder(
    url: str, *, workers: int | None = None, progress: Progress | None = None
) -> Verification:
    """Check a copy of a version by itself, as `hsc.jobs.fetch` makes it; no catalog is asked.

    Raises
    ------
    DamageError
        It says nothing of itself.
    """
    started, record = time.perf_counter(), locate_folder(url).record
    with named_workers(workers) as places:
        found = [check_version(record, url.rstrip("/"), places, progress or Silent())]
    return _summed(record, found, None, started)


def _places(request: VerifyRequest, record: Dataset, catalog: Catalog) -> list[str]:
    """Give the locations to look at.

    Raises
    ------
    ArchivedError
        What is asked for was in an archive and still can't be read.
    """
    replicas = {each.location: each for each in catalog.replicas(record.pid.at(record.version))}
    if request.every:
        there = [each for each in replicas.values() if each.state is not ReplicaState.GONE]
        named = readable_places(catalog, record, [each.location for each in there])
        twice = _delivered_from(catalog, record, named)
        return [
            each
            for each in named
            if each != twice and (each not in replicas or not _left_archived(replicas[each]))
        ]
    asked = (
        request.replica or readable_places(catalog, record, [record.location.rstrip("/")])[0]
    ).rstrip("/")
    known = replicas.get(asked)
    if known is not None and _archived(known):
        raise unreadable(record, [known])
    return [asked]


def _try_version(
    record: Dataset, location: str, workers: Workers, progress: Progress
) -> VerifiedReplica:
    """Check one replica of several: one that does not answer keeps nobody from the others."""
    try:
        return check_version(record, location, workers, progress)
    except HscError as error:
        progress.finish()
        failure = Failure(**error.document())
        return VerifiedReplica(location=location, objects=0, bytes=0, failure=failure)


def _delivered_from(catalog: Catalog, record: Dataset, places: Sequence[str]) -> str | None:
    """Give the location that the catalog's server reads when it delivers; None: it does not."""
    if not isinstance(catalog, Delivers) or not any(map(_is_delivered, places)):
        return None
    return catalog.delivered_from(record.pid.at(record.version))


def _is_delivered(place: str) -> bool:
    return place.startswith("hsc+")


def _left_archived(replica: Replica) -> bool:
    try:
        return _archived(replica)
    except StoreError:  # its check will say why
        return False


def _archived(replica: Replica) -> bool:
    """Tell whether a replica is in an archive and was not brought back yet."""
    archived = replica.state is ReplicaState.ARCHIVED
    return archived and open_objects(replica.location).size(MANIFEST_KEY) is None


def _compared(
    source: str,
    record: Dataset,
    found: list[VerifiedReplica],
    workers: Workers,
    progress: Progress,
) -> tuple[int, list[VerifiedReplica]]:
    # HDF5 is read for this alone: a researcher's installation comes without.
    from hsc.jobs.sourcing import compare_source

    count, made = 0, []
    for each in found:
        compared, wrong = compare_source(source, record, each.location, workers, progress)
        count += compared
        made.append(each.model_copy(update={"damaged": (*each.damaged, *wrong)}))
    return count, made


def _need_sources() -> None:
    """Refuse before a long verify what this installation can't do at its end.

    Raises
    ------
    DependencyMissingError
        It reads no HDF5.
    """
    if find_spec("h5py") is None:
        raise DependencyMissingError(
            "this installation reads no HDF5: it can't compare with the source",
            next_step="pip install 'hanseatic-science-cloud[facility]', or verify without --source",
        )


def _summed(
    record: Dataset, found: Sequence[VerifiedReplica], compared: int | None, started: float
) -> Verification:
    return Verification(
        pid=record.pid,
        version=record.version,
        objects=sum(each.objects for each in found),
        bytes=sum(each.bytes for each in found),
        damaged=tuple(one for each in found for one in each.damaged),
        replicas=tuple(found),
        compared=compared,
        seconds=round(time.perf_counter() - started, 3),
    )


def _told(request: VerifyRequest, found: Sequence[VerifiedReplica]) -> dict[str, Any]:
    damaged = {each.location: len(each.damaged) for each in found if each.failure is None}
    unreached = {each.location: each.failure.error for each in found if each.failure is not None}
    return {
        **request.document(),
        "damaged": damaged,
        **({"unreached": unreached} if unreached else {}),
    }


def _tell(
    catalog: Catalog,
    record: Dataset,
    found: Sequence[VerifiedReplica],
    activity: RunningActivity,
) -> None:
    """Tell the catalog how the replicas that it knows stand."""
    pid = record.pid.at(record.version)
    known = {each.location: each for each in catalog.replicas(pid)}
    done = activity.as_done()
    try:
        for each in found:
            place = each.location
            if _is_delivered(place):
                place = _delivered_from(catalog, record, [place]) or place
            before = known.get(place)
            if before is not None and not each.not_fetched and each.failure is None:
                catalog.register_replica(pid, _stands(before, each, activity.id), done)
                activity.done(done)
        if not activity.settled:
            WhereAllowed(catalog).record(activity.done(done))
    except (ForbiddenError, UnauthenticatedError) as error:
        _LOG.info("the catalog was not told what was found: %s", error)
    except CatalogError as error:
        # What was found is worth more than that it could not be written down.
        _LOG.warning("the catalog was not told what was found: %s", error)


def _stands(before: Replica, found: VerifiedReplica, activity: str) -> Replica:
    moment = now()
    state = ReplicaState.DAMAGED if found.damaged else ReplicaState.ONLINE
    return before.model_copy(
        update={
            "state": state,
            "since": before.since if state is before.state else moment,
            "verified": before.verified if found.damaged else moment,
            "activity": activity,
        }
    )
