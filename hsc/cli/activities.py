"""``hsc activities``: what was done, what failed and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table
from hsc.client import Catalog
from hsc.errors import InvalidQueryError
from hsc.model import Activity, ActivityState, now

_MOST = 1000
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def activities(
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed.")] = False,
    running: Annotated[bool, typer.Option("--running", help="Only what is under way.")] = False,
    since: Annotated[
        str | None, typer.Option(help="Only since: 30m, 24h, 7d, 2w, or a date.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 100,
    json: Json = False,
) -> None:
    """List activities, newest first."""
    if failed and running:
        raise typer.BadParameter("what failed is not under way", param_hint="--failed --running")
    state = ActivityState.FAILED if failed else ActivityState.RUNNING if running else None
    with jobs.open_catalog() as catalog:
        found = catalog.activities(state=state, since=_moment(since), limit=limit)
        again = _tried_again(catalog, found)
    if json_wanted():
        told = {
            failed: {"id": each.id, "state": each.state.value} for failed, each in again.items()
        }
        answer({"activities": [each.document() for each in found], "tried_again": told}, "")
        return
    if not found:
        answer(None, f"no {state.value} activity" if state else "no activity")
        return
    show_table(
        "",
        ["id", "started", "what", "state", ">seconds", "host", "of", "result or error"],
        [
            [
                each.id,
                f"{each.started:%Y-%m-%d %H:%M:%S}",
                each.type,
                each.state.value,
                _seconds(each),
                each.environment.host,
                str(each.parameters.get("path") or each.parameters.get("name") or ""),
                _outcome(each, again.get(each.id)),
            ]
            for each in found
        ],
    )


def _tried_again(catalog: Catalog, found: Sequence[Activity]) -> dict[str, Activity]:
    """Give the newest retry of each activity that failed, by the id of that one."""
    failed = {each.id: each.started for each in found if each.failure is not None}
    if not failed:
        return {}
    # A retry is newer than what it tries again, and need not be among those that were asked for.
    newer = catalog.activities(since=min(failed.values()), limit=_MOST)
    tried = {each.retry_of: each for each in reversed(newer) if each.retry_of}
    return {id: tried[id] for id in failed if id in tried}


def _outcome(activity: Activity, again: Activity | None) -> str:
    if activity.failure is None:
        return ", ".join(map(str, activity.generated))
    tried = f" (tried again: {again.state.value})" if again else ""
    return f"{activity.failure.error}: {activity.failure.message}{tried}"


def _seconds(activity: Activity) -> str:
    if activity.ended is None:
        return ""
    return f"{(activity.ended - activity.started).total_seconds():.1f}"


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if match:
        return now() - timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidQueryError(
            f"{text!r} is no time", next_step="write 30m, 24h, 7d, 2w or 2026-11-22T08:00"
        ) from error
    return moment.astimezone()
