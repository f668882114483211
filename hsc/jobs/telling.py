"""Telling the catalog of activities that died without a word: killed, or with their machine."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from hsc import settings
from hsc.client import Catalog, connect
from hsc.errors import ConflictError, ForbiddenError, HscError, UnauthenticatedError
from hsc.jobs.recorded import recorded_subject
from hsc.model import Activity, ActivityState, Failure
from hsc.provenance import alive, process_space, recorded

_LOG = logging.getLogger(__name__)
_MOST = 1000


@contextmanager
def open_catalog(*, create: bool = False) -> Iterator[Catalog]:
    """Open the catalog that ``HSC_CATALOG`` names, and bring its running activities up to date.

    An activity of this machine whose process is gone is recorded as failed, so that the morning
    shows what the night lost.

    Parameters
    ----------
    create
        Whether to make the file that is named and not there, as `hsc.client.connect` does; a line
        in the log says so.
    """
    with connect(create=create) as catalog:
        mine = settings.catalog_named() and catalog.url.startswith("sqlite")
        if create and mine and not catalog.activities(limit=1):
            _LOG.warning("a new catalog: nothing was recorded in %s before", catalog.url)
        for activity in catalog.activities(state=ActivityState.RUNNING, limit=_MOST):
            if _dead(activity):
                WhereAllowed(catalog).record(_failed(activity))
        yield catalog


class WhereAllowed:
    """Records activities in a catalog, where it lets the caller; else a line in the log says so.

    Who may only read may look, verify and fetch: that nobody can be told is no reason to stop.

    Parameters
    ----------
    catalog
        The catalog.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._refused = False

    def record(self, activity: Activity) -> None:
        """Keep an activity as it now stands."""
        if self._refused:
            return
        try:
            self._catalog.record(activity)
        except (ForbiddenError, UnauthenticatedError) as error:
            self._refused = True
            _LOG.info("the catalog was not told of %s: %s", activity.type, error)
        except ConflictError as error:  # it is somebody else's, who finds it so themselves
            _LOG.info("the catalog was not told of %s: %s", activity.type, error)


def _dead(activity: Activity) -> bool:
    facts = activity.environment
    here = (facts.host, facts.process_space) == (platform.node(), process_space())
    return here and facts.process != os.getpid() and not alive(facts.process)


def _failed(activity: Activity) -> Activity:
    failure = Failure(
        error="ProcessDied",
        message=f"process {activity.environment.process} ended without a word: it was killed, "
        "or the machine went down",
        where=recorded_subject(activity),
        next=f"`hsc retry {activity.id}` runs it again, and an ingest goes on where it was; "
        "`hsc gc` finds what a reduction left in the store",
    )
    return activity.model_copy(update={"state": ActivityState.FAILED, "failure": failure})


def tell_failed(kind: str, parameters: dict[str, Any], error: HscError) -> None:
    """Record a job that could not even begin, as when its Prefect server does not answer."""
    with (
        open_catalog(create=True) as catalog,
        suppress(type(error)),
        recorded(catalog, kind, parameters),
    ):
        raise error
