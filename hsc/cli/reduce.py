"""``hsc reduce NAME [ROLE=]PID...``: datasets to a derived dataset."""

from __future__ import annotations

import json as jsonlib
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from hsc import jobs
from hsc.cli.options import Flow, Json, Workers
from hsc.cli.output import Bars, answer
from hsc.cli.parts import run_job
from hsc.errors import ParameterError
from hsc.model import Pid


def reduce(
    name: Annotated[str, typer.Argument(help="Name of the reduction, as in biosaxs.")],
    inputs: Annotated[list[str], typer.Argument(help="PIDs, each as PID or ROLE=PID.")],
    parameters: Annotated[
        list[str] | None, typer.Option("-p", help="A parameter, as in bins=500; may repeat.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="A TOML file of parameters; -p goes before it.")
    ] = None,
    flow: Flow = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Reduce datasets; what comes of it is a dataset that knows what it came from."""
    request = jobs.ReduceRequest(
        name=name,
        inputs=tuple(_role_and_pid(text) for text in inputs),
        parameters={**_read(recipe), **dict(_parameter(text) for text in parameters or ())},
        workers=workers,
    )
    with Bars() as bars:
        done = run_job("reduce", request, flow, bars)
    tell_reduced(done)


def tell_reduced(done: Any) -> None:
    """Say what came of a reduction."""
    lines = [f"{done.pid}  {done.reduction}, {done.seconds} s"]
    lines += [f"  {key} = {_number(value)}" for key, value in done.results.items()]
    answer(done.document(), "\n".join(lines))


def _role_and_pid(text: str) -> tuple[str, Pid]:
    role, _, pid = text.rpartition("=")
    return role, Pid.parse(pid)


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


def _read(recipe: Path | None) -> dict[str, Any]:
    if recipe is None:
        return {}
    try:
        return tomllib.loads(recipe.read_text("utf-8"))
    except OSError as error:
        raise ParameterError(
            f"the recipe can't be read: {error.strerror}",
            where=str(recipe),
            next_step="check its path",
        ) from error
    except ValueError as error:
        raise ParameterError(
            f"the recipe is no TOML: {error}", where=str(recipe), next_step="mend that line"
        ) from error


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
