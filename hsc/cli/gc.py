"""``hsc gc``: what dead attempts left in a store; listed, or removed."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc import jobs, settings
from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table, size
from hsc.cli.places import never_written, store_argument
from hsc.jobs import Collection, Remains

_SKIPPED = 3


def gc(
    store: Annotated[
        str | None, typer.Argument(help="URL or folder of the store; by default HSC_STORE.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove what is found.")] = False,
    json: Json = False,
) -> None:
    """List what failed, killed and abandoned attempts left in a store; --remove removes it.

    Only what belongs to nobody who may still be at it: processes that are gone from this machine,
    or began more than 12 hours ago on another. Datasets are never touched.
    """
    url = settings.store_url() if store is None else store_argument(store)
    found = jobs.collect(url, remove=remove)
    if json_wanted():
        answer(found.document(), "")
    else:
        _show(found)
    if found.skipped:
        raise typer.Exit(_SKIPPED)


def _show(found: Collection) -> None:
    rows = [_row(each, "removed" if found.removed else "left over") for each in found.remains]
    rows += [_row(each, "in use") for each in found.running]
    if rows:
        show_table("", ["dataset", "what", "since", ">objects", ">bytes", "folder", ""], rows)
    if found.strays:
        verb = "removed" if found.removed else "left over"
        answer(None, f"{len(found.strays)} temporary files of dead writers {verb}")
    if not rows and not found.strays:
        answer(None, "nothing is left over")
    if not found.attempts and not found.skipped:
        answer(None, never_written(found.store), to_stderr=True)
    for each in found.skipped:
        answer(None, f"skipped {each.path}: {each.message}", to_stderr=True)
    if not found.removed and (found.remains or found.strays):
        answer(None, "hsc gc --remove removes what is left over")


def _row(each: Remains, state: str) -> list[str]:
    return [
        f"{each.pid}@{each.version}",
        "journal" if each.committed else each.kind,
        f"{each.made:%Y-%m-%d %H:%M}",
        str(len(each.keys)),
        size(each.bytes),
        each.location,
        state,
    ]
