"""Recipes: TOML files that say how a reduction is to be run, and on what if that is always so."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hsc.errors import InvalidPidError, ParameterError
from hsc.model import Pid


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a recipe says."""

    path: str = ""
    """Where it stands."""
    reduction: str | None = None
    """Name of the reduction that it is for; None: of any that has those parameters."""
    inputs: tuple[tuple[str, Pid], ...] = ()
    """Role and dataset, where none is given for that role."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Parameters by name."""


def read_recipe(path: Path | None) -> Recipe:
    """Read a recipe: parameters, ``reduction = "name"``, and ``[inputs]`` with PIDs by role.

    Parameters stand at the top, or under ``[parameters]``.

    Raises
    ------
    ParameterError
        It can't be read, is no TOML, or something else stands where one of these does.
    """
    if path is None:
        return Recipe()
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ParameterError(
            f"the recipe can't be read: {error.strerror}",
            where=str(path),
            next_step="check its path",
        ) from error
    except ValueError as error:
        raise ParameterError(
            f"the recipe is no TOML: {error}", where=str(path), next_step="mend that line"
        ) from error
    reduction, inputs = document.pop("reduction", None), document.pop("inputs", {})
    parameters = document.pop("parameters", {})
    if not isinstance(reduction, str | None) or not all(
        isinstance(each, dict) for each in (inputs, parameters)
    ):
        raise ParameterError(
            "the recipe has something else as its reduction, inputs or parameters than is meant",
            where=str(path),
            next_step='write reduction = "biosaxs", and [inputs] and [parameters] as tables',
        )
    _refuse_strangers(document, parameters, path)
    return Recipe(str(path), reduction, _inputs(inputs, path), {**document, **parameters})


def _refuse_strangers(top: dict[str, Any], below: dict[str, Any], path: Path) -> None:
    """Refuse tables that mean nothing, and parameters that stand in two places."""
    tables = [f"[{name}]" for name, value in top.items() if isinstance(value, dict)]
    if tables:
        raise ParameterError(
            f"the recipe has {', '.join(tables)}, which means nothing",
            where=str(path),
            next_step="its tables are [inputs], with PIDs by role, and [parameters]",
        )
    twice = sorted(top.keys() & below.keys())
    if twice:
        raise ParameterError(
            f"the recipe gives {', '.join(twice)} at its top and under [parameters]",
            where=str(path),
            next_step="leave one of them out",
        )


def _inputs(given: dict[str, Any], path: Path) -> tuple[tuple[str, Pid], ...]:
    found: list[tuple[str, Pid]] = []
    for role, said in given.items():
        for pid in said if isinstance(said, list) else [said]:
            try:
                found.append((role, Pid.parse(pid)))
            except (InvalidPidError, TypeError, AttributeError) as error:
                raise ParameterError(
                    f"the recipe gives {pid!r} for the input {role!r}, which is no PID",
                    where=str(path),
                    next_step=f'write {role} = "hsc.maxiv/01J..." or a list of such',
                ) from error
    return tuple(found)
