"""Activities: keeping how they now stand, and listing them."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, select

from hsc.model import Activity, ActivityState
from hsc_catalog import schema
from hsc_catalog.dialects import insert_or_update

_row = schema.activity.c


def put_activity(connection: Connection, activity: Activity) -> None:
    """Keep an activity in place of what was known of it."""
    now = {
        "type": activity.type,
        "state": activity.state.value,
        "started": schema.microseconds(activity.started),
    }
    document = json.dumps(activity.document(), allow_nan=False)
    insert_or_update(connection, schema.activity, {"id": activity.id}, now)
    insert_or_update(
        connection, schema.activity_document, {"activity": activity.id}, {"json": document}
    )


def list_activities(
    connection: Connection, state: ActivityState | None, since: datetime | None, limit: int
) -> list[Activity]:
    """List activities, newest first."""
    wanted = (
        select(schema.activity_document.c.json)
        .join(schema.activity)
        .order_by(_row.started.desc(), _row.id.desc())
        .limit(max(limit, 0))
    )
    if state is not None:
        wanted = wanted.where(_row.state == state.value)
    if since is not None:
        wanted = wanted.where(_row.started >= schema.microseconds(since))
    # Not pydantic's own JSON reader: it refuses the lone surrogates of undecodable file names.
    return [Activity.model_validate(json.loads(text)) for text in connection.scalars(wanted)]
