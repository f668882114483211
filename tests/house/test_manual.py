"""What users can set and call stands in README.md or docs/."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

VARIABLE = re.compile(r"HSC_[A-Z0-9_]+")


def _commands() -> list[str]:
    command = Path(sys.executable).with_name("hsc")
    answer = subprocess.run(
        [command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
    )
    _, _, listed = answer.stdout.partition("Commands")
    return re.findall(r"^[│|]? {1,2}([a-z][a-z0-9-]*)(?: {2,}| *[│|]?$)", listed, re.MULTILINE)


def test_every_variable_that_is_read_is_explained(
    modules: dict[str, ast.Module], manual: str
) -> None:
    read = {
        (node.value, module)
        for module, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and VARIABLE.fullmatch(node.value)
    }
    assert read
    explained = set(VARIABLE.findall(manual))
    silent = [f"{name} ({module})" for name, module in sorted(read) if name not in explained]
    assert not silent, "\n".join(silent)


def test_every_command_is_explained(manual: str) -> None:
    commands = _commands()
    assert {"ingest", "search"} <= set(commands)
    silent = [name for name in commands if not re.search(rf"\bhsc {name}\b", manual)]
    assert not silent, "\n".join(silent)
