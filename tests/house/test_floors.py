"""Floors import downwards only, and enter each other by the front door."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def _floor(module: str) -> str:
    """Give ``hsc.store`` for ``hsc.store.tree``; an application is one floor."""
    parts = module.removesuffix(".__init__").split(".")
    return ".".join(parts[: 2 if parts[0] == "hsc" else 1])


def _offered(modules: dict[str, ast.Module], package: str) -> set[str]:
    """Give what a package lists in ``__all__``."""
    for node in getattr(modules.get(f"{package}.__init__"), "body", ()):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def _imported(module: str, tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Give what is imported: the module's full name, and the name taken from it."""
    package = module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((source, alias.name) for alias in node.names)


def test_every_import_goes_downwards_and_none_in_a_circle(repository: Path) -> None:
    # In a process of its own: its logging set-up disables every logger that exists already.
    command = "import sys, importlinter.cli as it; sys.exit(it.lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_floors_enter_each_other_by_the_front_door(modules: dict[str, ast.Module]) -> None:
    names = {name.removesuffix(".__init__") for name in modules}
    side_doors = []
    for module, tree in modules.items():
        for source, name in _imported(module, tree):
            # A function may bear the name of the file that it stands in.
            is_file = f"{source}.{name}" in names and name not in _offered(modules, source)
            inner = f"{source}.{name}" if is_file else source
            if inner in names and inner != _floor(inner) and _floor(inner) != _floor(module):
                side_doors.append(f"{module} imports {inner}: import it from {_floor(inner)}")
    assert not side_doors, "\n".join(dict.fromkeys(side_doors))


def test_no_floor_imports_the_whole_of_hsc(modules: dict[str, ast.Module]) -> None:
    names = {name.removesuffix(".__init__") for name in modules}
    upward = [
        f"{module} imports {name or 'hsc'} from the package hsc"
        for module, tree in modules.items()
        if module.startswith("hsc.") and module != "hsc.__init__"
        for source, name in _imported(module, tree)
        if source == "hsc" and f"hsc.{name}" not in names
    ]
    assert not upward, "\n".join(upward)
