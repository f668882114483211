"""Activities: keeping how they now stand, and listing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection, bindparam, select, update

from hsc.errors import ActivityNotFoundError
from hsc.model import Activity, ActivityState
from hsc_catalog import tables
from hsc_catalog.access import Caller, Sight, Standing, claimed, interned
from hsc_catalog.auditing import Change
from hsc_catalog.records.redacting import shown
from hsc_catalog.records.replaced import keep_replaced
from hsc_catalog.searching import count_visible
from hsc_catalog.wording import texts_now

_BATCH = 500  # ids in one statement
_FEW = 10_000  # datasets that a caller sees, up to which activities are looked up by them

_row, _document = tables.activity.c, tables.activity_document.c
_DOCUMENTS = tables.Prepared(
    select(_document.activity, _document.json).where(
        _document.activity.in_(bindparam("ids", expanding=True))
    )
)


def put_activities(
    connection: Connection,
    activities: Sequence[Activity],
    caller: Caller,
    made: Mapping[str, Standing] = MappingProxyType({}),
) -> list[Change]:
    """Keep activities in place of what was known of them; give what changed.

    Parameters
    ----------
    connection
        The transaction.
    activities
        The activities; of several with one id the last one stands.
    caller
        Who records them: of those that are new they stay the recorder.
    made
        What activities made, by their ids: staff of its instrument see them.
    """
    documents = {each.id: (each, tables.written(each)) for each in activities}
    before = _documents(connection, sorted(documents))
    changed = {key: each for key, (each, text) in documents.items() if before.get(key) != text}
    rows = [
        {
            "id": key,
            "type": each.type,
            "state": each.state.value,
            "started": tables.microseconds(each.started),
            "recorder": caller.subject,
            "instrument": made[key].instrument_name if key in made else None,
            "access": None if key in made else _claim(connection, caller, each),
        }
        for key, each in changed.items()
    ]
    told = [{"activity": key, "json": documents[key][1]} for key in changed]
    _keep_history(connection, {key: before[key] for key in changed if key in before})
    shown_to = texts_now(connection, "activity access", changed.keys() & before.keys())
    # Who recorded it first stays its recorder.
    tables.upsert(
        connection, tables.activity, rows, ["type", "state", "started", "access"], counted=True
    )
    for key in changed.keys() & before.keys() & made.keys():
        kept = update(tables.activity).where(_row.id == key, _row.instrument.is_(None))
        connection.execute(kept.values(instrument=made[key].instrument_name))
    tables.upsert(connection, tables.activity_document, told, ["json"])
    claims = {str(row["id"]) for row in rows if row["access"]}
    told_to = texts_now(connection, "activity access", claims | shown_to.keys())
    return [
        *(Change("record", "activity", key, before.get(key), documents[key][1]) for key in changed),
        *(
            Change("stand", "activity access", key, shown_to.get(key), told_to.get(key))
            for key in sorted(shown_to.keys() | told_to.keys())
            if shown_to.get(key) != told_to.get(key)
        ),
    ]


def _claim(connection: Connection, caller: Caller, activity: Activity) -> int | None:
    """Give the row of who may see an activity by what it says of itself; None: it says nothing."""
    access = claimed(caller, activity)
    return None if access is None else interned(connection, access)


def _documents(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    return dict(_DOCUMENTS.among(connection, "ids", ids))


def _keep_history(connection: Connection, replaced: dict[str, str]) -> None:
    if not replaced:
        return
    revisions: dict[str, int] = {}
    ids = sorted(replaced)
    for first in range(0, len(ids), _BATCH):
        some = _row.id.in_(ids[first : first + _BATCH])
        found = connection.execute(select(_row.id, _row.revision).where(some))
        revisions |= {row.id: row.revision for row in found}
    keep_replaced(
        connection, "activity", [(key, revisions[key], text) for key, text in replaced.items()]
    )


def list_activities(
    connection: Connection,
    sight: Sight,
    state: ActivityState | None,
    since: datetime | None,
    limit: int,
) -> list[Activity]:
    """List the activities that the caller may see, newest first.

    Of who sees much the newest activities are asked one after the other. Of who sees little nearly
    all would have to be asked: theirs are looked up by what they see.
    """
    limit = max(limit, 0)
    wanted = (
        select(_row.started, _row.id, _row.recorder, _document.json)
        .join(tables.activity_document)
        .order_by(_row.started.desc(), _row.id.desc())
        .limit(limit)
    )
    if state is not None:
        wanted = wanted.where(_row.state == state.value)
    if since is not None:
        wanted = wanted.where(_row.started >= tables.microseconds(since))
    seen = count_visible(connection, sight.caller, sight.now)
    few = seen is not None and seen <= _FEW
    parts = sight.activities_by_what_is_seen() if few else [sight.activities()]
    found = {row for each in parts for row in map(tuple, connection.execute(wanted.where(each)))}
    newest = sorted(found, key=lambda row: row[:2], reverse=True)[:limit]
    return shown(connection, sight, [(by, text) for _, _, by, text in newest])


def get_activity(connection: Connection, sight: Sight, id: str) -> Activity:
    """Give an activity by its id.

    Raises
    ------
    ActivityNotFoundError
        There is none that the caller may see.
    """
    wanted = (_row.id == id, sight.activities())
    documents = select(_row.recorder, tables.activity_document.c.json)
    told = documents.join(tables.activity_document).where(*wanted)
    found = connection.execute(told).one_or_none()
    if found is None:
        raise ActivityNotFoundError(
            f"there is no activity {id}", next_step="`hsc activities` lists the known ones"
        )
    return shown(connection, sight, [(found.recorder, found.json)])[0]
