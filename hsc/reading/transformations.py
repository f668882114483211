"""Transformations: NeXus's ``depends_on`` chains as steps with matrices.

A step moves or turns a component as the NeXus manual says ("NXtransformations"): with ``T1``
depending on ``T2`` and that on ``T3``, the whole is ``T3 T2 T1``, acting on column vectors
``(x, y, z, 1)`` in metres.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import HscError, PathMissingError
from hsc.model import Quantity
from hsc.reading.fields import Fields
from hsc.reading.nxdata import first_text

_MOST_STEPS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Transformation:
    """A step of a chain."""

    path: str
    """Path of the field, or of the NXlog, with the values."""
    kind: str
    """``translation``, ``rotation``, or empty for an axis along which nothing moves."""
    vector: tuple[float, float, float]
    """Direction of the translation or of the axis of rotation, as given."""
    offset: tuple[float, float, float]
    """Translation in metres that comes with the step, whatever its value."""
    values: NDArray[np.float64]
    """How far or how much, in ``units``, one for each frame; or one for all. Shape (n,)."""
    units: str
    """Unit of the values."""
    matrices: NDArray[np.float64]
    """One for each value, lengths in metres. Shape (n, 4, 4)."""

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The matrix of a step that has one value; the first of several. Shape (4, 4)."""
        first: NDArray[np.float64] = self.matrices[0]
        return first


def combine(steps: Sequence[Transformation]) -> NDArray[np.float64]:
    """Multiply the steps of a chain, in its order.

    Returns
    -------
    matrices
        Of shape (n, 4, 4), with n the number of values of the steps that have more than one.

    Raises
    ------
    HscError
        Two steps have different numbers of values, neither of them one.
    """
    whole = np.eye(4)[None]
    for step in steps:
        counts = {len(whole), len(step.matrices)} - {1}
        if len(counts) > 1:
            raise HscError(
                f"the step has {len(step.matrices)} values, those before it {len(whole)}",
                where=step.path,
            )
        whole = step.matrices @ whole
    return whole


def read_transformations(fields: Fields, path: str) -> tuple[Transformation, ...]:
    """Follow a chain from a component's group, its ``depends_on`` or one of its steps.

    Parameters
    ----------
    fields
        The dataset's arrays.
    path
        A group with a field ``depends_on``, that field, or a field of NXtransformations.

    Returns
    -------
    steps
        In the order in which they act: what the component hangs on first, the laboratory last.

    Raises
    ------
    PathMissingError
        A step names a field that is not there.
    HscError
        The chain turns in a circle, or a unit can't be read.
    """
    return tuple(_read(fields, each) for each in _chain(fields, path))


def _chain(fields: Fields, path: str) -> Iterator[str]:
    seen = set[str]()
    at = fields.paths.resolve(path).path
    following = _first(fields, at)
    while following:
        if following in seen or len(seen) > _MOST_STEPS:
            raise HscError(
                f"the chain of depends_on turns in a circle at {following}",
                where=at,
                next_step="the file was written wrongly: ask the instrument for its geometry",
            )
        seen.add(following)
        yield following
        named = first_text(fields.paths.attributes(following).get("depends_on"))
        parent = following.rpartition("/")[0] or "/"
        following = _resolved(fields, named, parent)


def _first(fields: Fields, at: str) -> str:
    """Give the first step: the field itself, or what a component or its field depends on."""
    if fields.has_group(at) and "vector" not in fields.paths.attributes(at):
        held = f"{at.rstrip('/')}/depends_on"
        if fields.paths.is_array(held):
            return _resolved(fields, _text(fields, held), at)
        return _resolved(fields, first_text(fields.paths.attributes(at).get("depends_on")), at)
    attributes = fields.paths.attributes(at)
    if at.rpartition("/")[2] == "depends_on" and "vector" not in attributes:
        return _resolved(fields, _text(fields, at), at.rpartition("/")[0] or "/")
    if "vector" in attributes:
        return at
    named = first_text(attributes.get("depends_on"))
    return _resolved(fields, named, at.rpartition("/")[0] or "/")


def _text(fields: Fields, path: str) -> str:
    return str(fields.array(path).read().ravel()[0])


def _resolved(fields: Fields, named: str, group: str) -> str:
    return "" if named.strip() in ("", ".") else fields.paths.resolve(named.strip(), group).path


def _read(fields: Fields, path: str) -> Transformation:
    attributes = fields.paths.attributes(path)
    # Values that change with time stand in an NXlog, whose attributes tell of the step.
    place = f"{path}/value" if fields.has_group(path) else path
    if not fields.paths.is_array(place):
        raise PathMissingError(f"there are no values at {place}", where=path)
    array = fields.array(place)
    units = first_text(attributes.get("units")) or first_text(array.attributes.get("units"))
    kind = first_text(attributes.get("transformation_type"))
    vector = _vector(attributes.get("vector"), path)
    offset = _offset(attributes, units, path)
    values = np.asarray(array.read(), np.float64).ravel()
    matrices = np.tile(np.eye(4), (len(values) if kind else 1, 1, 1))
    matrices[:, :3, 3] = offset
    if kind == "translation":
        metres = values * _si(units, "[length]^1", path)
        matrices[:, :3, 3] += metres[:, None] * np.array(vector)
    elif kind == "rotation":
        matrices[:, :3, :3] = _rotations(
            vector, values * _si(units or "deg", "[angle]^1", path), path
        )
    x, y, z = (float(each) for each in offset)
    return Transformation(path, kind, vector, (x, y, z), values, units, matrices)


def _offset(attributes: Mapping[str, Any], units: str, path: str) -> NDArray[np.float64]:
    """Give a step's offset in metres; a file that names no unit of it means that of the values."""
    given = np.array(_vector(attributes.get("offset", [0, 0, 0]), path))
    named = first_text(attributes.get("offset_units")) or units
    return given * _si(named, "[length]^1", path) if given.any() else given


def _vector(given: Any, path: str) -> tuple[float, float, float]:
    found = given if isinstance(given, list) else []
    if len(found) != 3 or not all(isinstance(each, int | float) for each in found):
        raise HscError(f"a transformation's vector is {given}, not three numbers", where=path)
    return float(found[0]), float(found[1]), float(found[2])


def _si(units: str, dimension: str, path: str) -> float:
    """Give a unit in metres or radians."""
    found = Quantity(value=1.0, unit=units).si()
    if found is None or found[1] != dimension:
        kind = "length" if dimension == "[length]^1" else "angle"
        raise HscError(
            f"the unit {units!r} can't be read as one of {kind}",
            where=path,
            next_step="read the values and units as they are with tree.hsc.h5",
        )
    return found[0]


def _rotations(
    axis: tuple[float, float, float], angles: NDArray[np.float64], path: str
) -> NDArray[np.float64]:
    """Rotate about an axis, right-handed (Rodrigues' formula). Angles in radians, shape (n,)."""
    length = float(np.linalg.norm(axis))
    if not length:
        raise HscError("the axis of a rotation is 0, 0, 0", where=path)
    x, y, z = (each / length for each in axis)
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    sine, cosine = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    turned: NDArray[np.float64] = np.eye(3) + sine * across + (1 - cosine) * (across @ across)
    return turned
