"""``hsc reductions [NAME]``: what can be reduced, and what a reduction takes."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table


def reductions(
    name: Annotated[str | None, typer.Argument(help="Name of one; by default all.")] = None,
    json: Json = False,
) -> None:
    """List the reductions, or what one takes: its inputs, and its parameters with units."""
    # Numba and pyFAI, which a researcher's installation comes without.
    from hsc.reductions import REDUCTIONS, find_reduction, list_reduction

    if name is None:
        if json_wanted():
            told = [list_reduction(each).document() for each in REDUCTIONS.values()]
            answer({"reductions": told}, "")
            return
        # A line each: in a table the inputs of one would leave no room for what it finds.
        lines = []
        for each in REDUCTIONS.values():
            lines += [f"{each.name}: {each.summary}"]
            lines += [f"  {' '.join(one.usage for one in each.inputs)}"]
        answer(None, "\n".join(lines))
        return
    listing = list_reduction(find_reduction(name))
    if json_wanted():
        answer(listing.document(), "")
        return
    answer(None, f"{listing.name}, version {listing.version}: {listing.summary}")
    show_table(
        "inputs",
        ("role", "needed", "found"),
        [
            (each.name, _needed(each.required, each.many), each.description)
            for each in listing.inputs
        ],
    )
    show_table(
        "parameters (-p NAME=VALUE)",
        ("name", "unit", "default", "bounds", "found"),
        [
            (
                each.name,
                each.unit or "",
                "" if each.default is None else str(each.default),
                each.bounds,
                each.description,
            )
            for each in listing.parameters
        ],
    )


def _needed(required: bool, many: bool) -> str:
    words = "yes" if required else "no"
    return f"{words}, one or more" if many else words
