"""``hsc lineage PID``: where a dataset came from, and what came of it; on screen or as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, printable, telling
from hsc.client import connect
from hsc.exporting import write_crate_files, write_picture, write_prov
from hsc.model import Lineage, Pid
from hsc.provenance import gather, stale


def lineage(
    pid: Annotated[str, typer.Argument(help="The dataset's PID.")],
    up: Annotated[bool, typer.Option("--up", help="Only what it came from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what came of it.")] = False,
    depth: Annotated[int, typer.Option(min=1, help="At most this many activities away.")] = 10,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file.")] = None,
    prov: Annotated[Path | None, typer.Option(help="Write it as PROV-JSON.")] = None,
    crate: Annotated[
        Path | None, typer.Option(help="Write it as RO-Crate: a folder, or a file .zip.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    json: Json = False,
) -> None:
    """Show the history of a dataset: both ways, or one with --up or --down."""
    both = up == down
    with connect(create=False) as catalog:
        found = catalog.lineage(Pid.parse(pid), up=up or both, down=down or both, depth=depth)
        files = {write_picture: svg, write_prov: prov, write_crate_files: crate}
        written = [str(path) for path in files.values() if path is not None]
        history = gather(found, catalog) if written else None
    if history is not None:
        for write, path in files.items():
            if path is not None:
                write(history, path, overwrite=overwrite)
    if json_wanted():
        answer({**found.document(), **({"written": written} if written else {})}, "")
    elif written:
        answer(None, "\n".join(f"written {path}" for path in written))
    else:
        _show(found, up=up or both, down=down or both)


def _show(found: Lineage, *, up: bool, down: bool) -> None:
    start = found.nodes[0]
    marks = _marks(found)
    tree = Tree(f"[bold]{escape(start.id)}[/]  {escape(printable(start.title))}")
    if start.id in marks:
        tree.add(f"[yellow]{escape(marks[start.id])}[/]")
    if up:
        _grow(tree.add("came from"), found, start.id, ("was_generated_by", "used"), {start.id})
    became = any(e.object == start.id and e.predicate == "used" for e in found.edges)
    if down and became:
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
    shown = title if node.startswith("hidden:") else f"{node}  {title}"
    mark = _marks(found).get(node)
    return escape(printable(shown + (f"  as {role}" if role else ""))) + (
        f"  [yellow]{escape(mark)}[/]" if mark else ""
    )


def _marks(found: Lineage) -> dict[str, str]:
    """Word which nodes are no longer the newest, or rest on something that is not."""
    old = {node.id: f"newer: {node.newer}" for node in found.nodes if node.newer}
    return {node: f"stale: an input is now {newer}" for node, newer in stale(found).items()} | old
