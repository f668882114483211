"""The layout of NeXus event files: one HDF5 file with NXevent_data, its banks and monitors named.

NeXus class definitions NXevent_data, NXdetector, NXmonitor, NXcylindrical_geometry; nothing here
hangs on the names that a facility gives its groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import h5py

from hsc.hdf5 import open_hdf5
from hsc.layouts.nexus_fields import UNREADABLE, one_text
from hsc.layouts.plain import PlainLayout
from hsc.layouts.run import Run

# Entry, instrument, detector, events: what lies deeper is no event file of NeXus.
_DEEPEST = 4
_MOST_CHILDREN = 2_000
_EVENTS = ("event_id", "event_time_offset", "event_index", "event_time_zero")
_PIXELS = (
    "detector_number",
    "x_pixel_offset",
    "y_pixel_offset",
    "z_pixel_offset",
    "x_pixel_size",
    "y_pixel_size",
    "pixel_mask",
    "depends_on",
)
_MONITOR = {"data": "monitor", "time_of_flight": "monitor_time_of_flight"}
# What tells that a disk chopper stands in the beam, the first of them that there is.
_CHOPPER = (
    "rotation_speed",
    "rotation_speed/value",
    "rotation_speed_setpoint",
    "rotation_speed_setpoint/value",
    "phase",
    "phase/value",
    "slit_edges",
    "slits",
    "radius",
)
_MONITOR_PLACE = {"depends_on": "monitor_depends_on", "distance": "monitor_distance"}


class EventsLayout:
    """A NeXus file whose detectors recorded single events."""

    name = "events"

    def recognises(self, path: Path) -> bool:
        """Tell whether a file has an NXevent_data inside an NXentry."""
        if path.is_dir():
            return False
        with open_hdf5(path) as file:
            entries = (child for kind, child in _children(file) if kind == "NXentry")
            return any(_has_events(entry, 1) for entry in entries)

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all of a file but its data, and name what its arrays are for."""
        run = PlainLayout().read(path, time_zone)
        return replace(run, layout=self.name, roles=event_roles(run))


def event_roles(run: Run) -> dict[str, str]:
    """Give what arrays of an event file are for: role to path.

    Roles of a detector or monitor end in ``@`` and its group's name; a single detector's do not.
    """
    kinds = {group.path: one_text(group.attributes.get("NX_class", "")) for group in run.groups}
    paths = {array.path for array in run.arrays}
    entry = min((path for path, kind in kinds.items() if kind == "NXentry"), default="")
    inside = {path: kind for path, kind in kinds.items() if path.startswith(f"{entry}/")}
    banks: dict[str, dict[str, str]] = {}
    roles: dict[str, str] = {}
    for path, kind in sorted(inside.items()):
        if kind == "NXdetector" and (events := _events_of(path, inside, paths)):
            banks[path.rpartition("/")[2]] = {**events, **_pixels_of(path, inside, paths)}
        elif kind == "NXmonitor":
            roles |= _monitor_of(path, inside, paths)
        elif kind == "NXdisk_chopper":
            there = [f"{path}/{name}" for name in _CHOPPER if f"{path}/{name}" in paths]
            roles |= {f"chopper@{path.rpartition('/')[2]}": each for each in there[:1]}
        elif kind in ("NXsample", "NXsource"):
            roles |= _place_of(path, kind.removeprefix("NX"), paths)
    for name, found in banks.items():
        end = f"@{name}" if len(banks) > 1 else ""
        roles |= {f"{role}{end}": path for role, path in found.items()}
    return roles


def _children(group: h5py.Group) -> Iterator[tuple[str, h5py.Group]]:
    """Give class and group of what hard links of a group lead to."""
    for name in sorted(map(str, group))[:_MOST_CHILDREN]:
        try:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            if group.get(name, getclass=True) is h5py.Group:
                child = group[name]
                yield one_text(child.attrs.get("NX_class", "")), child
        except UNREADABLE:  # the walk names what can't be read; here it is as good as absent
            continue


def _has_events(group: h5py.Group, depth: int) -> bool:
    return depth <= _DEEPEST and any(
        kind == "NXevent_data" or _has_events(child, depth + 1) for kind, child in _children(group)
    )


def _events_of(path: str, kinds: Mapping[str, str], paths: set[str]) -> dict[str, str]:
    """Give the event arrays of a detector or monitor: in a group below it, or its own."""
    below = [each for each, kind in sorted(kinds.items()) if kind == "NXevent_data"]
    for group in (*(each for each in below if each.startswith(f"{path}/")), path):
        found = {name: f"{group}/{name}" for name in _EVENTS if f"{group}/{name}" in paths}
        if "event_time_offset" in found:
            return found
    return {}


def _pixels_of(path: str, kinds: Mapping[str, str], paths: set[str]) -> dict[str, str]:
    found = {name: f"{path}/{name}" for name in _PIXELS if f"{path}/{name}" in paths}
    # NXdetector: pixel_shape is that of one pixel, detector_shape that of all of them.
    for group, kind in sorted(kinds.items(), key=lambda each: ("/detector_shape" in each[0], each)):
        shape = f"{group}/vertices"
        if kind == "NXcylindrical_geometry" and group.startswith(f"{path}/") and shape in paths:
            found.setdefault("pixel_shape", shape)
    return found


def _monitor_of(path: str, kinds: Mapping[str, str], paths: set[str]) -> dict[str, str]:
    name = path.rpartition("/")[2]
    events = _events_of(path, kinds, paths)
    found = {role: f"{path}/{each}" for each, role in _MONITOR.items() if f"{path}/{each}" in paths}
    if "event_time_offset" in events:
        found = {"monitor": events["event_time_offset"]}
    if "monitor" not in found:
        return {}
    found |= {r: f"{path}/{at}" for at, r in _MONITOR_PLACE.items() if f"{path}/{at}" in paths}
    return {f"{role}@{name}": at for role, at in found.items()}


def _place_of(path: str, what: str, paths: set[str]) -> dict[str, str]:
    names = ("depends_on", "distance", "frequency", "name")
    roles = {"depends_on": f"{what}_depends_on", "distance": f"{what}_distance"}
    roles |= {"frequency": "source_frequency"} if what == "source" else {"name": "sample_name"}
    return {
        roles[name]: f"{path}/{name}"
        for name in names
        if name in roles and f"{path}/{name}" in paths
    }
