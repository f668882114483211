"""The repository as text and as syntax trees, read once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("hsc", "catalog/hsc_catalog", "pipelines/hsc_pipelines", "benchmarks/hsc_benchmarks")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Give the folder with pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def modules() -> dict[str, ast.Module]:
    """Give each module of the packages by its name; a package's own ends in ``__init__``."""
    found = {}
    for package in PACKAGES:
        parent = (REPOSITORY / package).parent
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            name = ".".join(path.relative_to(parent).with_suffix("").parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


@pytest.fixture(scope="session")
def scripts() -> dict[str, ast.Module]:
    """Give each Python file outside the packages by its path."""
    return {
        str(path.relative_to(REPOSITORY)): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for folder in ("tests", "deploy", "docs")
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
    }


@pytest.fixture(scope="session")
def manual() -> str:
    """Give all that users can read: README.md and docs/."""
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)
