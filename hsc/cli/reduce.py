"""``hsc reduce NAME [ROLE=]PID...``: datasets to a derived dataset."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hsc import jobs
from hsc.cli.options import Flow, Json, Workers
from hsc.cli.output import Bars, answer
from hsc.cli.parts import run_job
from hsc.cli.recipes import Recipe, read_recipe
from hsc.errors import ParameterError
from hsc.model import Pid


def reduce(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME [ROLE=]PID...",
            help="Name of the reduction (`hsc reductions` lists them), then its datasets; a recipe "
            "may have either.",
        ),
    ] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("-p", help="A parameter, as in bins=500; may repeat.")
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="A TOML file of parameters; -p and the words given go before it."),
    ] = None,
    flow: Flow = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Reduce datasets; what comes of it is a dataset that knows what it came from."""
    written = read_recipe(recipe)
    name, inputs = _asked(words or [], written)
    request = jobs.ReduceRequest(
        name=name,
        inputs=inputs,
        parameters=_parameters(parameters or ()),
        recipe=written.parameters,
        workers=workers,
    )
    with Bars() as bars:
        done = run_job("reduce", request, flow, bars)
    tell_reduced(done)


def tell_reduced(done: Any) -> None:
    """Say what came of a reduction: doubts first, then its numbers, and how one goes on."""
    results = dict(done.results)
    warnings = results.pop("warnings", None) or []
    lines = [f"{done.pid}  {done.reduction}, {done.seconds} s"]
    lines += [f"  warning: {text}" for text in warnings]
    lines += [f"  {line}" for line in number_lines(results)]
    lines += _next(str(done.pid), done.files)
    answer(done.document(), "\n".join(lines))


def number_lines(results: Mapping[str, Any]) -> Iterator[str]:
    """Give a line for each number that is there, and a block for each of several things."""
    for name, value in results.items():
        if value is None or value == []:
            continue
        if not isinstance(value, list):
            yield f"{name} = {_number(value)}"
            continue
        yield f"{name}:"
        for each in value:
            if not isinstance(each, dict):
                yield f"  {_number(each)}"
                continue
            for place, line in enumerate(number_lines(each)):
                yield f"{'  ' if place else '- '}{line}"


def _next(pid: str, files: Sequence[str]) -> list[str]:
    """Say how one looks at it, and which files there are with the one to open first."""
    lines = ["  next:", f"    hsc show {pid}"]
    if files:
        first = next((name for name in files if name.endswith("report.html")), files[0])
        others = len(files) - 1
        more = f" and {others} more" if others else ""
        lines.append(f"    hsc files {pid} --to DIR    # {first}{more}; open DIR/{first}")
    return [*lines, f'    hsc.open("{pid}")    # in Python']


def _asked(words: list[str], recipe: Recipe) -> tuple[str, tuple[tuple[str, Pid], ...]]:
    """Give the reduction and its inputs, of the words given and of the recipe."""
    named = bool(words) and "/" not in words[0]  # a PID has one, a name none
    name = words[0] if named else recipe.reduction
    if name is None:
        raise typer.BadParameter("which reduction? Give its NAME, or a recipe that names it")
    if recipe.reduction not in (None, name):
        raise ParameterError(
            f"the recipe is for the reduction {recipe.reduction!r}, not for {name!r}",
            where=recipe.path,
            next_step=f"leave {name!r} out, or take another recipe",
        )
    given = [_role_and_pid(text) for text in words[named:]]
    if recipe.inputs:
        # Numba and pyFAI: only who leaves inputs to a recipe waits for them here.
        from hsc.reductions import find_reduction

        roles = {role or find_reduction(name).only_input for role, _ in given}
        given += [(role, pid) for role, pid in recipe.inputs if role not in roles]
    if not given:
        raise typer.BadParameter("of which datasets? Give [ROLE=]PID, or a recipe that has inputs")
    return name, tuple(given)


def _role_and_pid(text: str) -> tuple[str, Pid]:
    role, _, pid = text.rpartition("=")
    return role, Pid.parse(pid)


def _parameters(given: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in given:
        name, value = _parameter(text)
        if name in found:
            raise ParameterError(
                f"the parameter {name} is given twice: {found[name]!r} and {value!r}",
                next_step="give the one that is meant",
            )
        found[name] = value
    return found


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ParameterError(
            f"{text!r} is no parameter", next_step="write it as name=value: -p bins=500"
        )
    try:
        return name, jsonlib.loads(value)
    except ValueError:
        return name, value


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
