"""The version files agree: pyproject.toml, constraints/lowest.txt, requirements.lock."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DISTRIBUTION = "hanseatic-science-cloud"


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _pins(path: Path) -> dict[str, str]:
    pins = dict(line.split("==") for line in _lines(path))
    return {canonicalize_name(name): version for name, version in pins.items()}


def _project(repository: Path) -> dict[str, Any]:
    return dict(tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"])


def _minimum(requirement: Requirement) -> str:
    floors = [each.version for each in requirement.specifier if each.operator == ">="]
    return floors[0] if floors else ""


def test_lowest_versions_are_those_that_the_project_promises(repository: Path) -> None:
    declared = [Requirement(text) for text in _project(repository)["dependencies"]]
    promised = {canonicalize_name(each.name): _minimum(each) for each in declared}
    assert _pins(repository / "constraints" / "lowest.txt") == promised


def test_lock_names_versions_and_no_place(repository: Path) -> None:
    lines = _lines(repository / "requirements.lock")
    pin = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+")
    assert lines
    assert not [line for line in lines if not pin.fullmatch(line)]
    assert lines == sorted(lines, key=str.upper)


def test_lock_holds_every_declared_package_at_a_version_that_fits(repository: Path) -> None:
    project = _project(repository)
    texts = [
        text
        for group in (project["dependencies"], *project["optional-dependencies"].values())
        for text in group
    ]
    pins = _pins(repository / "requirements.lock")
    unfit = []
    for requirement in map(Requirement, texts):
        name = canonicalize_name(requirement.name)
        if name == DISTRIBUTION:
            continue
        if name not in pins or not requirement.specifier.contains(pins[name], prereleases=True):
            unfit.append(f"{requirement} is locked at {pins.get(name)}")
    assert not unfit, "\n".join(unfit)
