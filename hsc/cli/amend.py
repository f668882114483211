"""``hsc amend PID``: correct what a dataset's record says, with a reason."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc.cli.options import Json
from hsc.cli.records import make_record, show_entry
from hsc.client import connect
from hsc.model import Amendment, Person, Pid


def amend(
    pid: Annotated[str, typer.Argument(help="The dataset's PID, with @n for version n.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    title: Annotated[str | None, typer.Option(help="The title.")] = None,
    proposal: Annotated[str | None, typer.Option(help="The proposal's number.")] = None,
    sample: Annotated[str | None, typer.Option(help="The sample's name.")] = None,
    instrument: Annotated[str | None, typer.Option(help="The instrument.")] = None,
    person: Annotated[
        list[str] | None,
        typer.Option(help="A person, all of them anew: 'Anna Berg' or 'Anna Berg=<ORCID iD>'."),
    ] = None,
    clear: Annotated[
        list[str] | None, typer.Option(help="A field that shall say nothing any more.")
    ] = None,
    revision: Annotated[
        int | None, typer.Option(min=1, help="Only if it still is this revision.")
    ] = None,
    json: Json = False,
) -> None:
    """Amend a dataset's record: proposal, sample, people, title. Access follows the proposal."""
    people = tuple(map(_person, person)) if person else None
    amendment = make_record(
        Amendment,
        title=title,
        proposal=proposal,
        sample=sample,
        instrument=instrument,
        people=people,
        clear=tuple(clear or ()),
        reason=reason,
    )
    with connect(create=False) as catalog:
        show_entry(catalog.amend(Pid.parse(pid), amendment, revision))


def _person(text: str) -> Person:
    name, _, orcid = text.partition("=")
    return make_record(Person, name=name.strip(), orcid=orcid.strip() or None)
