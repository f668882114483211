"""``hsc access PID``: who may see a dataset, and changes of that."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc.cli.options import Json
from hsc.cli.output import answer
from hsc.cli.records import access_lines, make_record, parse_moment, show_entry
from hsc.client import connect
from hsc.errors import InvalidRecordError
from hsc.model import AccessChange, AccessClass, Pid, Visibility


def access(
    pid: Annotated[str, typer.Argument(help="The dataset's PID; all its versions stand alike.")],
    share: Annotated[
        list[str] | None, typer.Option(metavar="GROUP", help="Let a group see it, or user:NAME.")
    ] = None,
    revoke: Annotated[
        list[str] | None, typer.Option(metavar="GROUP", help="Take that back.")
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Make it public.")] = False,
    visibility: Annotated[Visibility | None, typer.Option(help="Who may see it.")] = None,
    embargo: Annotated[
        str | None, typer.Option(metavar="DATE", help="Public only from then on.")
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="End its embargo now.")] = False,
    access_class: Annotated[AccessClass | None, typer.Option("--class", help="Its class.")] = None,
    clear_flag: Annotated[
        bool, typer.Option("--clear-flag", help="Somebody looked at what was flagged.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why; every change needs one.")] = None,
    revision: Annotated[
        int | None, typer.Option(min=1, help="Only if it still is this revision.")
    ] = None,
    json: Json = False,
) -> None:
    """Show who may see a dataset, or change it: what came of it gets no looser by itself."""
    asked = {
        "add_groups": tuple(share or ()),
        "remove_groups": tuple(revoke or ()),
        "visibility": "public" if publish else visibility,
        "embargo_until": parse_moment(embargo),
        "release_embargo": release,
        "access_class": access_class,
        "clear_flag": clear_flag,
    }
    with connect(create=False) as catalog:
        if not any(asked.values()):
            stands = catalog.access(Pid.parse(pid))
            answer({"pid": pid, **stands.document()}, "\n".join([pid, *access_lines(stands)]))
            return
        if reason is None:
            raise InvalidRecordError(
                "a change of access needs a reason", next_step="give --reason 'why'"
            )
        change = make_record(AccessChange, **asked, reason=reason)
        show_entry(catalog.change_access(Pid.parse(pid), change, revision))
