"""A package's ``__init__`` re-exports, in a sorted, honest ``__all__``, and does nothing else."""

from __future__ import annotations

import ast
import importlib
import re

LAZY = {"__getattr__", "__dir__"}
# The command stands on top: it is started, and nothing imports it.
IMPORTED_BY_NOBODY = {"hsc.cli"}


def _all(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def _order(name: str) -> tuple[int, list[str | int]]:
    """Sort as ruff does: CONSTANTS, then Classes, then functions; numbers by value."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _front_doors(modules: dict[str, ast.Module]) -> dict[str, ast.Module]:
    return {
        name.removesuffix(".__init__"): tree
        for name, tree in modules.items()
        if name.endswith(".__init__")
    }


def test_every_floor_says_what_it_offers(modules: dict[str, ast.Module]) -> None:
    silent = [
        name
        for name, tree in _front_doors(modules).items()
        if name.startswith("hsc.") and name.count(".") == 1 and not _all(tree)
        if name not in IMPORTED_BY_NOBODY
    ]
    assert not silent, "\n".join(silent)


def test_offered_names_are_sorted_and_there(modules: dict[str, ast.Module]) -> None:
    wrong = []
    for name, tree in _front_doors(modules).items():
        offered = _all(tree) or []
        if offered != sorted(set(offered), key=_order):
            wrong.append(f"{name}.__all__ is not sorted: {offered}")
        package = importlib.import_module(name)
        wrong += [f"{name}.{each} is not there" for each in offered if not hasattr(package, each)]
    assert not wrong, "\n".join(wrong)


def test_a_front_door_does_nothing_but_reexport(modules: dict[str, ast.Module]) -> None:
    busy = []
    for name, tree in _front_doors(modules).items():
        for node in tree.body:
            plain = isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign)
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            lazy = isinstance(node, ast.FunctionDef) and node.name in LAZY
            typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            if not (plain or docstring or lazy or typing):
                busy.append(f"{name} line {node.lineno}: {ast.unparse(node).splitlines()[0]}")
    assert not busy, "\n".join(busy)
