"""Activities: keeping how they now stand, and listing them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from hsc.model import Activity, ActivityState
from hsc_catalog import tables
from hsc_catalog.auditing import Change

_row = tables.activity.c


def put_activity(connection: Connection, activity: Activity) -> list[Change]:
    """Keep an activity in place of what was known of it; give what changed."""
    now = {
        "type": activity.type,
        "state": activity.state.value,
        "started": tables.microseconds(activity.started),
    }
    document = tables.written(activity)
    kept = tables.activity_document.c
    before = connection.scalar(select(kept.json).where(kept.activity == activity.id))
    if before == document:
        return []
    tables.insert_or_update(connection, tables.activity, {"id": activity.id}, now)
    tables.insert_or_update(
        connection, tables.activity_document, {"activity": activity.id}, {"json": document}
    )
    return [Change("record", "activity", activity.id, before, document)]


def list_activities(
    connection: Connection, state: ActivityState | None, since: datetime | None, limit: int
) -> list[Activity]:
    """List activities, newest first."""
    wanted = (
        select(tables.activity_document.c.json)
        .join(tables.activity)
        .order_by(_row.started.desc(), _row.id.desc())
        .limit(max(limit, 0))
    )
    if state is not None:
        wanted = wanted.where(_row.state == state.value)
    if since is not None:
        wanted = wanted.where(_row.started >= tables.microseconds(since))
    return [tables.read(Activity, text) for text in connection.scalars(wanted)]
