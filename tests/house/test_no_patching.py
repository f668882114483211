"""Tests work on real things: nothing is patched, mocked or written over from outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator

MOCKING_MODULES = {"mock", "unittest.mock", "pytest_mock"}
PATCHERS = {"monkeypatch", "patch", "mp"}
PATCHING_METHODS = {"setattr", "delattr", "setitem", "delitem"}


def _imported_names(tree: ast.Module) -> set[str]:
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _assigned(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []


def _imports_mock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return False
    source = getattr(node, "module", None)
    names = {alias.name for alias in node.names}
    return (
        source in MOCKING_MODULES
        or bool(names & MOCKING_MODULES)
        or (source == "unittest" and "mock" in names)
    )


def _patches(tree: ast.Module) -> Iterator[ast.AST]:
    imported = _imported_names(tree)
    for node in ast.walk(tree):
        if (
            _imports_mock(node)
            or (isinstance(node, ast.arg) and node.arg == "mocker")
            or (
                isinstance(node, ast.Attribute)
                and node.attr in PATCHING_METHODS
                and ast.unparse(node.value) in PATCHERS
            )
        ):
            yield node
        for target in _assigned(node):
            if isinstance(target, ast.Attribute) and ast.unparse(target.value) in imported:
                yield target


def test_no_test_patches_anything(scripts: dict[str, ast.Module]) -> None:
    tests = {path: tree for path, tree in scripts.items() if path.startswith("tests/")}
    patches = [
        f"{path}:{getattr(node, 'lineno', 0)} {ast.unparse(node)}"
        for path, tree in tests.items()
        for node in _patches(tree)
    ]
    assert tests
    assert not patches, "\n".join(patches)
