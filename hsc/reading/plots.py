"""The default plot of a dataset: the NXdata that NeXus's chain of ``default`` leads to."""

from __future__ import annotations

from dataclasses import dataclass

from hsc.errors import PathMissingError
from hsc.reading.fields import Fields
from hsc.reading.nxdata import first_text


@dataclass(frozen=True, slots=True)
class DefaultPlot:
    """What to plot first."""

    path: str
    """True path of the NXdata group."""
    signal: str
    """Name of the field to plot, in the group."""
    axes: tuple[str | None, ...]
    """For each dimension of the signal the field that says where its elements lie, edges of bins
    included; None: their numbers."""
    errors: str = ""
    """Name of the field with the signal's uncertainties; empty for none."""
    auxiliary: tuple[str, ...] = ()
    """Names of further signals."""


def find_default_plot(fields: Fields, frames: str | None) -> DefaultPlot | None:
    """Follow the chain of ``default`` from the root; None when there is nothing to plot.

    Where the chain is not given or broken, the first NXentry and the first NXdata in it take its
    place, as in files that are older than the attribute; and at last a detector run's frames.

    Parameters
    ----------
    fields
        The dataset's arrays.
    frames
        Path of the array with the role ``frames``.
    """
    at: str | None = "/"
    seen = set[str]()
    while at is not None:
        seen.add(at)
        found = _plot(fields, at)
        if found is not None:
            return found
        at = _following(fields, at, seen)
    return _plot(fields, frames.rpartition("/")[0] or "/") if frames else None


def _plot(fields: Fields, path: str) -> DefaultPlot | None:
    group = fields.of(path)
    if group.plotted is None:
        return None
    signal = group.plotted.signal
    axes: list[str | None] = [None] * len(group.arrays[signal].shape)
    for axis in reversed(group.plotted.axes):
        for dimension in axis.dimensions:
            axes[dimension] = axis.name
    errors = group.plotted.errors.get(signal, "")
    return DefaultPlot(path, signal, tuple(axes), errors, group.plotted.auxiliary)


def _following(fields: Fields, path: str, seen: set[str]) -> str | None:
    named = first_text(fields.paths.attributes(path).get("default"))
    if named:
        try:
            reached = fields.paths.resolve(named, path).path
        except PathMissingError:
            reached = path
        if reached not in seen and fields.has_group(reached):
            return reached
    for kinds in (("NXdata",), ("NXentry", "NXsubentry")):
        for name in fields.paths.names(path):
            below = f"{path.rstrip('/')}/{name}"
            kind = first_text(fields.paths.attributes(below).get("NX_class"))
            if kind in kinds and fields.has_group(below) and below not in seen:
                return below
    return None
