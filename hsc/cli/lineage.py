"""``hsc lineage PID``: where a dataset came from, and what came of it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, printable, telling
from hsc.client import connect
from hsc.model import Lineage, Pid


def lineage(
    pid: Annotated[str, typer.Argument(help="The dataset's PID.")],
    up: Annotated[bool, typer.Option("--up", help="Only what it came from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what came of it.")] = False,
    depth: Annotated[int, typer.Option(min=1, help="At most this many activities away.")] = 10,
    json: Json = False,
) -> None:
    """Show the history of a dataset: both ways, or one with --up or --down."""
    both = up == down
    with connect() as catalog:
        found = catalog.lineage(Pid.parse(pid), up=up or both, down=down or both, depth=depth)
    if json_wanted():
        answer(found.document(), "")
        return
    start = found.nodes[0]
    tree = Tree(f"[bold]{escape(start.id)}[/]  {escape(printable(start.title))}")
    if up or both:
        _grow(tree.add("came from"), found, start.id, ("was_generated_by", "used"), {start.id})
    became = any(e.object == start.id and e.predicate == "used" for e in found.edges)
    if (down or both) and became:
        _grow_down(tree.add("became"), found, start.id, {start.id})
    with telling():
        Console().print(tree)


def _grow(tree: Tree, found: Lineage, node: str, ways: tuple[str, ...], seen: set[str]) -> None:
    for edge in found.edges:
        if edge.subject == node and edge.predicate in ways and edge.object not in seen:
            branch = tree.add(_label(found, edge.object, edge.role))
            _grow(branch, found, edge.object, ways, seen | {edge.object})


def _grow_down(tree: Tree, found: Lineage, node: str, seen: set[str]) -> None:
    for edge in found.edges:
        follows = edge.predicate in ("was_generated_by", "used")
        if follows and edge.object == node and edge.subject not in seen:
            branch = tree.add(_label(found, edge.subject, edge.role))
            _grow_down(branch, found, edge.subject, seen | {edge.subject})


def _label(found: Lineage, node: str, role: str | None) -> str:
    title = next((each.title for each in found.nodes if each.id == node), "")
    return escape(printable(f"{node}  {title}" + (f"  as {role}" if role else "")))
