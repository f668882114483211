"""``hsc annotate PID``: say something of a dataset without changing its record."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from hsc.cli.options import Json
from hsc.cli.records import make_record, show_entry
from hsc.client import connect
from hsc.errors import InvalidRecordError
from hsc.model import Annotation, Pid


def annotate(
    pid: Annotated[str, typer.Argument(help="The dataset's PID, with @n for version n.")],
    note: Annotated[str | None, typer.Option(help="A note; beside a link, what it is.")] = None,
    verdict: Annotated[Literal["good", "bad"] | None, typer.Option(help="The verdict.")] = None,
    link: Annotated[str | None, typer.Option(help="Address of the logbook's page.")] = None,
    json: Json = False,
) -> None:
    """Annotate a dataset: a note, a verdict, a link to the logbook."""
    if verdict is not None and link is not None:
        raise InvalidRecordError(
            "a verdict and a link are two annotations", next_step="give one after the other"
        )
    kind = "verdict" if verdict is not None else "link" if link is not None else "note"
    said = make_record(Annotation, kind=kind, text=note, verdict=verdict, link=link)
    with connect(create=False) as catalog:
        show_entry(catalog.annotate(Pid.parse(pid), said))
