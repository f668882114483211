"""Files and functions are short, say what they are for, and bear names that say something."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 350
FUNCTION_LINES = 60
SOURCE_SUFFIXES = {".py", ".sh", ".toml", ".sql", ".html", ".css", ".js"}
SOURCE_FOLDERS = ("hsc", "catalog", "pipelines", "benchmarks", "deploy", "tests")
EMPTY_WORDS = {"manager", "service", "handler", "util", "utils", "utility", "helper", "common"}
EMPTY_WORDS |= {f"{word}s" for word in ("manager", "service", "handler", "helper")}


def _definitions(
    trees: dict[str, ast.Module],
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for where, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield f"{where}:{node.lineno} {node.name}", node


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def test_every_module_begins_with_what_lives_there(
    modules: dict[str, ast.Module], scripts: dict[str, ast.Module]
) -> None:
    silent = [
        where
        for where, tree in {**modules, **scripts}.items()
        if not (ast.get_docstring(tree) or "").split("\n", 1)[0].strip()
    ]
    assert not silent, "\n".join(silent)


def test_no_file_is_longer_than_a_person_reads_at_once(repository: Path) -> None:
    files = [
        path
        for folder in SOURCE_FOLDERS
        for path in sorted((repository / folder).rglob("*"))
        if path.suffix in SOURCE_SUFFIXES and "vendor" not in path.parts
    ]
    long = [
        f"{path.relative_to(repository)} has {count} lines"
        for path in files
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES
    ]
    assert files
    assert not long, "\n".join(long)


def test_no_function_is_longer_than_a_screen(
    modules: dict[str, ast.Module], scripts: dict[str, ast.Module]
) -> None:
    long = [
        f"{where} has {lines} lines"
        for where, node in _definitions({**modules, **scripts})
        if not isinstance(node, ast.ClassDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_no_name_is_an_empty_word(modules: dict[str, ast.Module]) -> None:
    empty = [where for where, node in _definitions(modules) if _words(node.name) & EMPTY_WORDS]
    for module in modules:
        stem = module.removesuffix(".__init__").rsplit(".", 1)[-1]
        if _words(stem) & EMPTY_WORDS or stem == "process" or stem.startswith("data_"):
            empty.append(module)
    assert not empty, "\n".join(empty)


def test_only_the_command_prints(modules: dict[str, ast.Module]) -> None:
    printing = [
        f"{module}:{node.lineno}"
        for module, tree in modules.items()
        if not module.startswith("hsc.cli.")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not printing, "\n".join(printing)
