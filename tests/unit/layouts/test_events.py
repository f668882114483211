"""Event files of NeXus are known by what is in them, and their banks and monitors are named."""

from __future__ import annotations

import h5py
import pytest

from hsc.layouts import read_run
from hsc.testing import EventSansModel, StrawBank, measure_events, write_event_file

SMALL = EventSansModel(
    banks=(StrawBank("rear", 4, 4), StrawBank("side", 2, 3, first=101)), incident_counts=500.0
)


def read(path):
    return read_run(path, layout=None, time_zone="UTC")


def test_banks_and_monitors_are_named_by_their_groups(tmp_path):
    run = read(write_event_file(tmp_path / "a.nxs", measure_events(SMALL, "sample")))
    assert run.layout == "events"
    assert run.roles["event_id@rear"] == "/entry/instrument/rear/rear_events/event_id"
    assert run.roles["pixel_shape@side"] == "/entry/instrument/side/pixel_shape/vertices"
    assert run.roles["monitor@monitor_1"].endswith("monitor_1_events/event_time_offset")
    assert {"sample_name", "source_frequency", "source_depends_on"} <= run.roles.keys()
    paths = {array.path for array in run.arrays}
    assert set(run.roles.values()) <= paths
    assert run.facts.technique.name == "SANS"
    assert run.facts.instrument == "LOKI"


def test_roles_of_a_single_bank_have_no_end(tmp_path):
    alone = EventSansModel(banks=SMALL.banks[:1], incident_counts=500.0)
    roles = read(write_event_file(tmp_path / "a.nxs", measure_events(alone, "sample"))).roles
    assert {"event_id", "event_index", "detector_number", "depends_on"} <= roles.keys()
    assert not any("@rear" in role for role in roles)


def test_a_monitor_of_bins_has_its_times_beside(tmp_path):
    path = write_event_file(tmp_path / "a.nxs", measure_events(SMALL, "empty_beam"))
    with h5py.File(path, "r+") as file:
        monitor = file["entry/instrument/monitor_1"]
        del monitor["monitor_1_events"]
        monitor["data"] = [1, 2, 3]
        monitor["time_of_flight"] = [0.0, 1.0, 2.0, 3.0]
    roles = read(path).roles
    assert roles["monitor@monitor_1"] == "/entry/instrument/monitor_1/data"
    assert roles["monitor_time_of_flight@monitor_1"].endswith("monitor_1/time_of_flight")


@pytest.mark.parametrize("kind", ["NXdata", None])
def test_a_file_without_events_stays_plain(tmp_path, kind):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        inner = entry.create_group("events")
        if kind:
            inner.attrs["NX_class"] = kind
        inner["event_id"] = [1]
    assert read(tmp_path / "a.h5").layout == "plain"
