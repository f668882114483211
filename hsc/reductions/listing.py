"""What a reduction takes, worded for people: inputs, and parameters with units and defaults."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from hsc.model import Record
from hsc.reductions.base import Reduction
from hsc.reductions.units import unit_of


class ParameterListing(Record):
    """A parameter of a reduction."""

    name: str
    """Its name; the unit is in it."""
    unit: str | None
    """Its unit; None: a number without one, or no number."""
    type: str
    """What can be given, as Python words it."""
    default: Any
    """What it is when not given; None often means: as the dataset says."""
    bounds: str
    """What is possible, as in ``> 0``; empty: anything of the type."""
    description: str
    """What it is."""


class InputListing(Record):
    """An input of a reduction."""

    name: str
    """Its name."""
    required: bool
    """Whether it has to be given."""
    many: bool
    """Whether several datasets can be given."""
    description: str
    """What it is."""


class ReductionListing(Record):
    """A reduction, with all that it takes."""

    name: str
    """Its name."""
    version: str
    """Its version."""
    order: str
    """In which order it sums."""
    summary: str
    """What it does."""
    inputs: tuple[InputListing, ...]
    """Its inputs."""
    parameters: tuple[ParameterListing, ...]
    """Its parameters, by name."""
    packages: tuple[str, ...]
    """Distributions that its numbers hang on, beside those that all hang on."""


def list_reduction(reduction: Reduction[Any]) -> ReductionListing:
    """Word what a reduction takes."""
    said = _docstrings(reduction.parameters)
    fields = reduction.parameters.model_fields
    return ReductionListing(
        name=reduction.name,
        version=reduction.version,
        order=reduction.order,
        summary=reduction.summary,
        inputs=tuple(
            InputListing(
                name=each.name,
                required=each.required,
                many=each.many,
                description=each.description,
            )
            for each in reduction.inputs
        ),
        parameters=tuple(
            ParameterListing(
                name=name,
                unit=unit_of(name),
                type=inspect.formatannotation(fields[name].annotation),
                default=_plain(fields[name].get_default(call_default_factory=True)),
                bounds=_bounds(fields[name].metadata),
                description=said.get(name, ""),
            )
            for name in sorted(fields)
        ),
        packages=reduction.packages,
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _bounds(metadata: list[Any]) -> str:
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    said = [
        f"{sign} {getattr(each, name)}"
        for each in metadata
        for name, sign in signs.items()
        if hasattr(each, name)
    ]
    return ", ".join(said)


def _docstrings(model: type[Record]) -> dict[str, str]:
    """Read the docstrings under a model's fields, and under those of its bases."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not issubclass(cls, Record) or cls is Record:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, below in pairwise(statements):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                found[field.target.id] = " ".join(str(below.value.value).split())
    return found
