"""Pixels of a detector bank: flight paths and solid angles, made once and kept by each worker."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.errors import ReductionError, RoleMissingError
from hsc.kernels import PixelPaths
from hsc.reductions.base import SourceArray, SourceDataset, array_for
from hsc.reductions.sans.flight import Flight
from hsc.reductions.sans.lookup import Lookup
from hsc.reductions.sans.parameters import DROP_PER_M_ANGSTROM2, RATE_M_ANGSTROM_PER_S
from hsc.reductions.sans.places import Beam, along, matrix_of, metres, si_factor

_MOST_NUMBERS = 100_000_000
_KEPT = 32
_LENGTHS = (
    "x_pixel_offset",
    "y_pixel_offset",
    "z_pixel_offset",
    "pixel_shape",
    "x_pixel_size",
    "y_pixel_size",
)
_lock = threading.Lock()
_kept: OrderedDict[str, Pixels] = OrderedDict()


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """A bank's pixels, by detector number."""

    paths: PixelPaths
    """Flight paths."""
    solid_angle: NDArray[np.float64]
    """(numbers,): sr; 0 where there is no pixel."""

    def flown_m(self, bank: Bank) -> NDArray[np.float64]:
        """Give how far neutrons fly to each good pixel."""
        first = self.paths.table[:, 0]
        known = first[~np.isnan(first)]
        return known if bank.lookup else RATE_M_ANGSTROM_PER_S * bank.second / known

    def key(self) -> str:
        """Give the BLAKE3 of all that decides where events count."""
        hashed = blake3(np.array([self.paths.first, self.paths.drop]).tobytes())
        hashed.update(self.paths.table.tobytes()).update(self.solid_angle.tobytes())
        return hashed.hexdigest()


@dataclass(frozen=True, slots=True)
class PixelSettings:
    """What parameters make of pixels."""

    gravity: bool = True
    """Whether neutrons fall."""
    center_m: tuple[float, float] = (0.0, 0.0)
    """Where the beam meets the detector, x and y from the line through source and sample."""
    masked: tuple[tuple[int, int], ...] = ()
    """First and last of masked detector numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """A detector bank: its events, and how its pixels are made. Cheap to send to a worker."""

    name: str
    """Its group's name; empty when it is the only one."""
    event_id: SourceArray
    """Detector number of each event."""
    event_time_offset: SourceArray
    """Time of each event since its pulse."""
    event_index: SourceArray | None
    """First event of each pulse; None: not recorded."""
    numbers: SourceArray
    """Detector number of each pixel."""
    lengths: tuple[SourceArray | None, ...]
    """Pixels' x, y, z in the bank, vertices of a straw's cylinder, sizes along x and y."""
    masks: tuple[tuple[SourceArray, int], ...]
    """Masks, and where in each the bank's pixels begin."""
    matrix: NDArray[np.float64]
    """(4, 4): where the bank stands."""
    beam: Beam
    """Source and sample."""
    second: float
    """The unit of the events' times, s."""
    settings: PixelSettings
    """What parameters make of its pixels."""
    where: str
    """For messages."""
    lookup: Lookup | None = None
    """Wavelengths by time and length of flight; None: λ = h t / (m L)."""
    farthest_m: float = 0.0
    """How far neutrons fly to the farthest good pixel, once pixels were made."""
    key: str = ""
    """BLAKE3 of its pixels once they were made."""


def bank_of(
    dataset: SourceDataset,
    end: str,
    beam: Beam,
    mask: tuple[SourceArray, int] | None,
    settings: PixelSettings,
    flight: Flight,
) -> Bank:
    """Find events and pixels of a bank by their roles, which all have one end.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Something is missing, moves, has no unit, or is not of the pixels' shape.
    """
    times = array_for(dataset, f"event_time_offset{end}", "has the time of each event, in ns")
    where = f"{dataset.record.pid}, {times.path}"

    def optional(role: str) -> SourceArray | None:
        return dataset.role(f"{role}{end}") if f"{role}{end}" in dataset.roles else None

    own = optional("pixel_mask")
    masks = (*([(own, 0)] if own is not None else []), *([mask] if mask else []))
    for role, why in (("x_pixel_offset", "x"), ("y_pixel_offset", "y")):
        array_for(dataset, f"{role}{end}", f"has {why} of each pixel in its bank, in m")
    if f"depends_on{end}" not in dataset.roles:
        # Without either all pixels would stand where the sample is.
        array_for(dataset, f"z_pixel_offset{end}", f"or 'depends_on{end}' places the bank, in m")
    bank = Bank(
        name=end.removeprefix("@"),
        event_id=array_for(dataset, f"event_id{end}", "has the detector number of each event"),
        event_time_offset=times,
        event_index=optional("event_index"),
        numbers=array_for(dataset, f"detector_number{end}", "numbers the pixels"),
        lengths=tuple(optional(role) for role in _LENGTHS),
        masks=masks,
        matrix=matrix_of(dataset, f"depends_on{end}"),
        beam=beam,
        second=si_factor(times, "[time]^1", "ns", where),
        settings=settings,
        where=where,
        lookup=flight.lookups[0] if flight.lookups else None,
    )
    made = make_pixels(bank)
    flown = made.flown_m(bank)
    if not len(flown):
        return replace(bank, lookup=None, key=_keep(made, ""))
    low, high = float(flown.min()), float(flown.max())
    chosen = flight.lookup(low, high, f"the bank {bank.name or 'that there is'}")
    return replace(bank, lookup=chosen, farthest_m=high, key=_keep(made, ""))


def pixels_of(bank: Bank) -> Pixels:
    """Give a bank's pixels, made anew where this process has not kept them."""
    with _lock:
        found = _kept.get(bank.key)
    if found is None:
        found = make_pixels(bank)
        _keep(found, bank.key)
    return found


def make_pixels(bank: Bank) -> Pixels:
    """Work out flight paths and solid angles of a bank.

    A straw's pixel has the solid angle 2 R L |sin(r, axis)| / r² (Ω of a rectangle in its
    cylinder that faces the sample), a rectangular one A |cos(r, normal)| / r².
    """
    numbers = np.asarray(bank.numbers.read())
    place = _positions(bank, numbers.shape)
    solid = _solid_angles(bank, place, numbers.shape)
    masked = _masked(bank, numbers)
    lost = ~(np.isfinite(place).all(axis=1) & np.isfinite(solid) | masked)
    if lost.any():
        raise ReductionError(
            f"{np.count_nonzero(lost)} pixels have no finite place from the sample, or no size; "
            f"the first is detector number {numbers.ravel()[lost][0]}",
            where=bank.where,
            next_step="mask them, mask=PID or -p masked_detector_numbers=..., or ask the "
            "instrument for a file with their places",
        )
    x, y, z = (along(place, axis) for axis in bank.beam.axes)
    far = np.sqrt(x * x + y * y + z * z)
    flown = bank.beam.length_m + far
    rate = flown if bank.lookup else RATE_M_ANGSTROM_PER_S * bank.second / flown
    rate[masked] = np.nan
    if bank.settings.gravity:
        columns = (rate, x, y, z)
    else:
        lateral = np.sqrt(x * x + y * y)
        k = 4 * np.pi * lateral / np.sqrt(2 * far * (far + z))
        aside = np.where(lateral > 0, lateral, 1.0)
        columns = (rate, k, k * x / aside, k * y / aside)
    first, table = _by_number(bank, numbers.ravel(), np.stack([*columns, solid], axis=1))
    drop = DROP_PER_M_ANGSTROM2 if bank.settings.gravity else 0.0
    weights = np.where(np.isnan(table[:, 0]), 0.0, table[:, 4])
    return Pixels(PixelPaths(first, np.ascontiguousarray(table[:, :4]), drop), weights)


def _keep(pixels: Pixels, key: str) -> str:
    key = key or pixels.key()
    with _lock:
        _kept[key] = pixels
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return key


def _positions(bank: Bank, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give each pixel's place from the sample: (pixels, 3)."""
    columns = []
    for axis, array in enumerate(bank.lengths[:3]):
        given = np.zeros(1) if array is None else metres(array, bank.where)
        columns.append(_spread(given, axis, shape, f"places along {'xyz'[axis]}", bank.where))
    local, offset = np.stack(columns, axis=1), bank.matrix[:3, 3] - bank.beam.sample
    across = bank.settings.center_m
    offset = offset - (across[0] * bank.beam.axes[0] + across[1] * bank.beam.axes[1])
    turned = np.stack([along(local, row) for row in bank.matrix[:3, :3]], axis=1)
    return np.asarray(turned + offset)


def _spread(
    given: NDArray[np.float64], axis: int, shape: tuple[int, ...], what: str, where: str
) -> NDArray[np.float64]:
    """Give a number for each pixel, of one for all, each, or each row or column of a picture."""
    # x along a picture's last axis, y along its first.
    if axis == 1 and given.ndim == 1 and len(shape) == 2 and len(given) == shape[0]:
        given = given[:, None]
    try:
        return np.asarray(np.broadcast_to(given, shape).ravel())
    except ValueError as error:
        raise ReductionError(
            f"the pixels' {what} have the shape {given.shape}, their numbers {shape}", where=where
        ) from error


def _solid_angles(
    bank: Bank, place: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    far = np.sqrt(along(place, place.T))
    vertices, *sizes = bank.lengths[3:]
    turn = bank.matrix[:3, :3]
    if vertices is not None:
        corners = metres(vertices, bank.where)
        if corners.shape != (3, 3):
            raise ReductionError(
                f"{vertices.path} has the shape {corners.shape}; the three vertices of one "
                "cylinder, that of every pixel, are needed",
                where=bank.where,
            )
        center, edge, other = corners
        axis = np.array([along((other - center)[None], row)[0] for row in turn])
        length, radius = (float(np.sqrt(along(one[None], one)[0])) for one in (axis, center - edge))
        across = np.sqrt(np.maximum(0.0, 1 - (along(place, axis) / (far * length)) ** 2))
        return np.asarray(2 * radius * length * across / far**2)
    if any(size is None for size in sizes):
        raise RoleMissingError(
            "no array has the role 'pixel_shape' (vertices of a straw's pixel) or the roles "
            "'x_pixel_size' and 'y_pixel_size', which tell how large pixels are, in m",
            where=bank.where,
        )
    width, height = (
        _spread(metres(size, bank.where), axis, shape, f"sizes along {'xy'[axis]}", bank.where)
        for axis, size in enumerate(sizes)
        if size is not None
    )
    facing = np.abs(along(place, turn[:, 2])) / far
    return np.asarray(width * height * facing / far**2)


def _masked(bank: Bank, numbers: NDArray[Any]) -> NDArray[np.bool_]:
    masked = np.zeros(numbers.size, np.bool_)
    for array, start in bank.masks:
        if array.unwritten():  # it would read as zeros: every pixel is good
            raise ReductionError(
                f"the mask {array.path} was never written, or only in part",
                where=bank.where,
                next_step="give another one: mask=PID",
            )
        part = np.asarray(array.read()).ravel()[start : start + numbers.size]
        if part.size != numbers.size:
            raise ReductionError(
                f"the mask {array.path} has {part.size} pixels for a bank of {numbers.size}",
                where=bank.where,
                next_step="give a mask of all pixels, banks in the order of their numbers",
            )
        masked |= part != 0
    for low, high in bank.settings.masked:
        masked |= ((numbers >= low) & (numbers <= high)).ravel()
    return masked


def _by_number(
    bank: Bank, numbers: NDArray[Any], rows: NDArray[np.float64]
) -> tuple[int, NDArray[np.float64]]:
    first, count = int(numbers.min()), int(numbers.max()) - int(numbers.min()) + 1
    if count > _MOST_NUMBERS or len(np.unique(numbers)) != len(numbers):
        raise ReductionError(
            f"{len(numbers)} pixels with detector numbers from {first} to {first + count - 1}: "
            "too far apart, or one given twice",
            where=bank.where,
        )
    table = np.full((count, rows.shape[1]), np.nan)
    table[numbers.astype(np.int64) - first] = rows
    return first, table
