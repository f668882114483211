"""Claims: who may see an activity by where it says that it took place, while nothing came of it."""

from __future__ import annotations

from hsc.model import Activity, ActivityState
from hsc_catalog.access.caller import Caller
from hsc_catalog.access.rights import may
from hsc_catalog.access.sets import AccessSet
from hsc_catalog.access.standing import HIDDEN_FROM_ALL, Standing


def claimed(caller: Caller, activity: Activity) -> AccessSet | None:
    """Give the set by which instrument and proposal that an activity names see it.

    None: it names none, or is done (then who sees what came of it sees it), or its recorder could
    register nothing there: else anybody could put what they like before an instrument's staff.

    Parameters
    ----------
    caller
        Who records it.
    activity
        As it now stands.
    """
    nowhere = activity.instrument is None and activity.proposal is None
    if activity.facility is None or nowhere or activity.state is ActivityState.DONE:
        return None
    where = activity.facility, activity.instrument, activity.proposal
    stands = Standing("", *where, owner=None, flagged=None, access=HIDDEN_FROM_ALL)
    if not may(caller, "create", stands):
        return None
    return AccessSet("group", own=stands.readers("group", ()))
