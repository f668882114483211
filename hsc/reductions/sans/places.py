"""Where source, sample, pixels and monitors stand, by chains of NeXus's ``depends_on``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError, ReductionError, RoleMissingError
from hsc.model import Quantity
from hsc.reductions.base import SourceArray, SourceDataset
from hsc.reductions.sources import known_roles

# NeXus: z along the beam, y up.
_UP = np.array([0.0, 1.0, 0.0])
_LEVEL = 1e-9
_STILL_M = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Beam:
    """Source and sample, and the directions that angles are measured by; lengths in m."""

    source: NDArray[np.float64]
    """(3,): place of the source."""
    sample: NDArray[np.float64]
    """(3,): place of the sample."""
    axes: NDArray[np.float64]
    """(3, 3): unit vectors x (level), y (up) and z (along the beam)."""

    @property
    def length_m(self) -> float:
        """From source to sample."""
        return float(np.linalg.norm(self.sample - self.source))


def beam_of(dataset: SourceDataset, *, gravity: bool) -> Beam:
    """Find source and sample of a dataset.

    Raises
    ------
    RoleMissingError
        Nothing says where the source is.
    ReductionError
        Something moves, source and sample are at one place, or the beam is not level.
    """
    sample = _place(dataset, "sample", np.zeros(3), np.zeros(3))
    source = _place(dataset, "source", None, sample)
    flight = sample - source
    length = float(np.linalg.norm(flight))
    level = flight - (flight @ _UP) * _UP
    across = float(np.linalg.norm(level))
    if across <= _STILL_M:
        raise ReductionError(
            f"source and sample are {length} m from each other, none of it level",
            where=str(dataset.record.pid),
            next_step="look at source_depends_on and sample_depends_on",
        )
    if gravity and abs(float(flight @ _UP)) > _LEVEL * length:
        raise ReductionError(
            "the beam is not level, for which the fall of neutrons is not worked out",
            where=str(dataset.record.pid),
            next_step="reduce it with -p gravity=false",
        )
    z = flight / length
    x = np.cross(_UP, level / across)
    return Beam(source, sample, np.array([x, np.cross(z, x), z]))


def along(rows: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the scalar product of each row (n, 3) with a vector (3,), or its own of (3, n).

    In one order on every machine, as a linear algebra library does not promise.
    """
    return np.asarray((rows[:, 0] * vector[0] + rows[:, 1] * vector[1]) + rows[:, 2] * vector[2])


def matrix_of(dataset: SourceDataset, role: str) -> NDArray[np.float64]:
    """Give the matrix of a chain that does not move; the identity where there is no such role."""
    if role not in dataset.roles:
        return np.eye(4)
    path = dataset.roles[role]
    found = dataset.placement(path)
    if np.abs(found - found[0]).max() > _STILL_M:
        raise ReductionError(
            f"what hangs on {path} moves during the run, by {len(found)} recorded places",
            where=f"{dataset.record.pid}, role {role}",
            next_step="reduce runs in which nothing moves",
        )
    matrix: NDArray[np.float64] = found[0]
    return matrix


def metres(array: SourceArray, where: str) -> NDArray[np.float64]:
    """Give an array of lengths in m.

    Raises
    ------
    ParameterError
        It has no unit of length.
    """
    return np.asarray(array.read(), np.float64) * si_factor(array, "[length]^1", "m", where)


def si_factor(array: SourceArray, dimension: str, example: str, where: str) -> float:
    """Give the SI value of an array's unit.

    Raises
    ------
    ParameterError
        It has none, or one of another dimension.
    """
    unit = str(array.attributes.get("units") or "")
    si = Quantity(value=1.0, unit=unit).si() if unit else None
    if si is None or si[1] != dimension:
        raise ParameterError(
            f"the unit of {array.path} is {unit!r}; one such as {example} is needed",
            where=where,
            next_step="the file was written wrongly: ask the instrument",
        )
    return si[0]


def _place(
    dataset: SourceDataset,
    what: str,
    default: NDArray[np.float64] | None,
    origin: NDArray[np.float64],
) -> NDArray[np.float64]:
    if f"{what}_depends_on" in dataset.roles:
        return np.asarray(matrix_of(dataset, f"{what}_depends_on")[:3, 3])
    if f"{what}_distance" in dataset.roles:
        # NeXus: from the sample, negative before it; the sample's own is from the origin.
        where = f"{dataset.record.pid}, role {what}_distance"
        at = float(metres(dataset.role(f"{what}_distance"), where).ravel()[0])
        return np.asarray(origin + np.array([0.0, 0.0, at]))
    if default is not None:
        return default
    raise RoleMissingError(
        f"no array has the role '{what}_depends_on' or '{what}_distance', which tell where the "
        f"{what} is, in m",
        where=str(dataset.record.pid),
        next_step=f"its roles are: {known_roles(dataset)}",
    )


def component_place(
    dataset: SourceDataset, prefix: str, name: str, sample: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the place of a monitor by the roles ``<prefix>_depends_on@name``, ``_distance@name``.

    A distance is from the sample (NXmonitor).

    Raises
    ------
    RoleMissingError
        Neither is there.
    """
    chain, distance = f"{prefix}_depends_on@{name}", f"{prefix}_distance@{name}"
    if chain in dataset.roles:
        return np.asarray(matrix_of(dataset, chain)[:3, 3])
    if distance in dataset.roles:
        where = f"{dataset.record.pid}, role {distance}"
        along_beam = float(metres(dataset.role(distance), where).ravel()[0])
        return np.asarray(sample + np.array([0.0, 0.0, along_beam]))
    raise RoleMissingError(
        f"no array has the role {chain!r} or {distance!r}, which tell where it is, in m",
        where=str(dataset.record.pid),
        next_step=f"its roles are: {known_roles(dataset)}",
    )
