"""A lineage as an SVG picture: time runs from left to right, every node is text in a box.

Layers by the longest path, crossings lessened by barycentres: K. Sugiyama, S. Tagawa, M. Toda,
IEEE Trans. Syst. Man Cybern. 11 (1981) 109, https://doi.org/10.1109/TSMC.1981.4308636.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

from hsc.model import Lineage, Node

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _EDGE = 330, 52, 70, 18, 16  # pixels
_LETTERS, _SMALL_LETTERS = 46, 60  # of 12 and of 10 pixels, as many as a box is wide
_SWEEPS = 6

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1b1b1b}"
    ".kind{font-size:10px;fill:#555}"
    "rect{fill:#fff;stroke:#555}"
    ".dataset rect{fill:#e8f1fb;stroke:#2b5c8a}"
    ".activity rect{fill:#fdf3e1;stroke:#8a5a13}"
    ".agent rect,.source rect{fill:#f2f2f2}"
    ".hidden rect{stroke-dasharray:4 3}"
    ".start rect{stroke-width:2.5}"
    ".stale rect{stroke:#a11616;stroke-dasharray:6 2}"
    "path{fill:none;stroke:#777}"
    "a:focus rect{stroke-width:3}"
)


def draw_lineage(
    lineage: Lineage,
    *,
    link: Callable[[Node], str | None] | None = None,
    marks: Mapping[str, str] | None = None,
) -> str:
    """Draw a lineage as SVG that needs nothing from elsewhere.

    Agents are left out, they stand in the table and the exports. What is drawn of a node is its
    text alone, escaped.

    Parameters
    ----------
    lineage
        The graph.
    link
        Gives the address that a node leads to; None: it leads nowhere.
    marks
        Words to show below a node by its id, as ``an input has a newer version``; it is drawn as
        stale.

    Returns
    -------
    str
        The picture; the same lineage gives the same picture.
    """
    nodes = {node.id: node for node in lineage.nodes if node.kind != "agent"}
    arrows = _arrows(lineage, nodes)
    layers = _ordered(_layers(list(nodes), arrows), arrows)
    places = {
        node: (
            _EDGE + column * (_WIDTH + _GAP_X),
            _EDGE + row * (_HEIGHT + _GAP_Y),
        )
        for column, layer in enumerate(layers)
        for row, node in enumerate(layer)
    }
    start = lineage.nodes[0].id
    width = 2 * _EDGE + len(layers) * (_WIDTH + _GAP_X) - _GAP_X
    height = 2 * _EDGE + max(map(len, layers)) * (_HEIGHT + _GAP_Y) - _GAP_Y
    drawn = [_arrow(places[left], places[right]) for left, right in arrows]
    for column in layers:
        drawn += [
            _box(nodes[node], places[node], node == start, link, (marks or {}).get(node))
            for node in column
        ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="group" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><title>{_text(f"Lineage of {start}")}</title>'
        f"<style>{_STYLE}</style>{''.join(drawn)}</svg>\n"
    )


def _arrows(lineage: Lineage, nodes: Mapping[str, Node]) -> list[tuple[str, str]]:
    """Give what came before and what after, without what a way over an activity says already."""
    steps = [edge for edge in lineage.edges if edge.predicate in ("used", "was_generated_by")]
    over: dict[str, set[str]] = {}
    for edge in steps:
        over.setdefault(edge.subject, set()).add(edge.object)
    derived = [
        edge
        for edge in lineage.edges
        if edge.predicate == "was_derived_from"
        and not any(edge.object in over.get(via, ()) for via in over.get(edge.subject, ()))
    ]
    pairs = dict.fromkeys((edge.object, edge.subject) for edge in [*steps, *derived])
    return [(left, right) for left, right in pairs if left in nodes and right in nodes]


def _layers(nodes: list[str], arrows: list[tuple[str, str]]) -> list[list[str]]:
    """Put every node one layer behind the last that it came from; a circle ends where it began."""
    before: dict[str, list[str]] = {node: [] for node in nodes}
    for left, right in arrows:
        before[right].append(left)
    depth: dict[str, int] = {}
    for first in nodes:
        way = [(first, iter(before[first]))]
        open_ones = {first}
        while way:
            node, rest = way[-1]
            following = next((each for each in rest if each not in depth), None)
            if following is None:
                seen = [depth[each] + 1 for each in before[node] if each in depth]
                depth[node] = max(seen, default=0)
                open_ones.discard(node)
                way.pop()
            elif following not in open_ones:
                open_ones.add(following)
                way.append((following, iter(before[following])))
    layers: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for node in nodes:
        layers[depth[node]].append(node)
    return [layer for layer in layers if layer]


def _ordered(layers: list[list[str]], arrows: list[tuple[str, str]]) -> list[list[str]]:
    """Order each layer by the mean place of its neighbours, forth and back."""
    beside: dict[str, list[str]] = {node: [] for layer in layers for node in layer}
    for left, right in arrows:
        beside[left].append(right)
        beside[right].append(left)
    place = {node: float(row) for layer in layers for row, node in enumerate(layer)}
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            means = {
                node: sum(place[each] for each in beside[node]) / len(beside[node])
                if beside[node]
                else place[node]
                for node in layer
            }
            layer.sort(key=means.__getitem__)
            place.update({node: float(row) for row, node in enumerate(layer)})
    return layers


def _arrow(left: tuple[int, int], right: tuple[int, int]) -> str:
    x1, y1 = left[0] + _WIDTH, left[1] + _HEIGHT // 2
    x2, y2 = right[0], right[1] + _HEIGHT // 2
    bend = max((x2 - x1) // 2, _GAP_X // 2)
    return f'<path d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"/>'


def _box(
    node: Node,
    place: tuple[int, int],
    start: bool,
    link: Callable[[Node], str | None] | None,
    mark: str | None,
) -> str:
    x, y = place
    kinds = " ".join([node.kind, *(["start"] if start else []), *(["stale"] if mark else [])])
    below = _text(_cut(mark or (node.id if node.kind == "dataset" else node.kind), _SMALL_LETTERS))
    drawn = (
        f'<g class="{_text(kinds)}"><title>{_text(f"{node.id}: {node.title}")}</title>'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"/>'
        f'<text x="{x + 8}" y="{y + 19}">{_text(_cut(node.title or node.id))}</text>'
        f'<text class="kind" x="{x + 8}" y="{y + 37}">{below}</text></g>'
    )
    address = link(node) if link is not None else None
    return drawn if address is None else f'<a href="{_text(address)}">{drawn}</a>'


def _cut(text: str, letters: int = _LETTERS) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def _text(text: str) -> str:
    # What XML 1.0 can't hold would make the whole picture unreadable.
    kept = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return escape(kept)
