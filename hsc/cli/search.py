"""``hsc search [TEXT]``: datasets by words, facets and quantities."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc import settings, verbs
from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table
from hsc.client import without_credentials
from hsc.model import Kind


def search(
    text: Annotated[str, typer.Argument(help="Words that must all occur.")] = "",
    where: Annotated[
        list[str] | None, typer.Option(help="A bound, as in 'photon_energy > 12 keV'; may repeat.")
    ] = None,
    facility: Annotated[str | None, typer.Option(help="Only this facility.")] = None,
    instrument: Annotated[str | None, typer.Option(help="Only this instrument.")] = None,
    proposal: Annotated[str | None, typer.Option(help="Only this proposal.")] = None,
    sample: Annotated[str | None, typer.Option(help="Only this sample.")] = None,
    technique: Annotated[str | None, typer.Option(help="Only this technique.")] = None,
    keyword: Annotated[str | None, typer.Option(help="Only with this keyword.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Only this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 25,
    cursor: Annotated[
        str | None, typer.Option(help="Go on behind an answer: its `next` (--json).")
    ] = None,
    json: Json = False,
) -> None:
    """Find datasets, newest first."""
    found = verbs.search(
        text,
        where=where or (),
        facility=facility,
        instrument=instrument,
        proposal=proposal,
        sample=sample,
        technique=technique,
        keyword=keyword,
        kind=kind,
        limit=limit,
        cursor=cursor,
    )
    if json_wanted():
        answer(found.document(), "")
        return
    if not found.datasets:
        asked = (text, where, facility, instrument, proposal, sample, technique, keyword, kind)
        answer(None, _nothing(bounds=bool(where), asked=any(asked), cursor=cursor))
        return
    show_table(
        f"{found.total} datasets" if found.total > 1 else "1 dataset",
        ["PID", "kind", "made", "title"],
        [
            [
                str(each.pid),
                each.kind.value,
                f"{each.created:%Y-%m-%d %H:%M}",
                each.title,
            ]
            for each in found.datasets
        ],
    )
    if found.next is not None:
        answer(None, f"more: the same with --cursor {found.next}", to_stderr=True)


def _nothing(*, bounds: bool, asked: bool, cursor: str | None) -> str:
    """Say that nothing was found, and where it was looked for when all was asked for."""
    if cursor is not None:
        return "no more datasets"
    if asked:
        hint = "; a bound finds only quantities of its unit's dimension" if bounds else ""
        return f"no dataset matches{hint}; `hsc search` alone lists all"
    place = without_credentials(settings.catalog_url())
    login = "; `hsc login` signs you in" if place.startswith("http") else ""
    return f"no dataset that you may see is in {place} (HSC_CATALOG){login}"
