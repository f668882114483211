"""Neutron events are reduced to the same bytes however they are cut, and errors name what lacks."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import pytest

import hsc
from hsc.errors import ParameterError, ReductionError, RoleMissingError
from hsc.kernels import PulseFrame
from hsc.reading import open_dataset
from hsc.reductions import Curve, GuinierParameters, find_reduction, fit_guinier
from hsc.reductions.sans.counting import count_all
from hsc.reductions.sans.parameters import SansParameters
from hsc.reductions.sans.pixels import make_pixels
from hsc.reductions.sans.runs import scattering_run
from hsc.testing import measure_events, sphere_form_factor, write_event_file
from hsc.workers import Silent, open_workers

DATA = "/sasentry/sasdata01"


def reduced(given, parameters, workers=1):
    with open_workers("threads", workers) as pool:
        return find_reduction("sans").run(given, parameters, pool)


def values(outputs):
    return {array.path: array.values for array in outputs.tree.arrays}


def same(first, second):
    first, second = values(first), values(second)
    return first.keys() == second.keys() and all(
        first[path].tobytes() == second[path].tobytes() for path in first
    )


def test_the_intensity_of_the_spheres_and_their_radius_come_back(everything, model, parameters):
    outputs = reduced(everything, parameters)
    found = values(outputs)
    q, intensity, error = (found[f"{DATA}/{name}"] for name in ("Q", "I", "Idev"))
    truth = model.forward * sphere_form_factor(q, model.radius_angstrom)
    low = q < 0.06
    # Bins are not points, and upper bounds not errors: 3 % and three of them.
    assert np.all(np.abs(intensity - truth)[low] < 3 * error[low] + 0.03 * truth[low])
    curve = Curve(q[low] * 10, intensity[low], error[low])
    fit = fit_guinier(curve, GuinierParameters())
    assert abs(fit.rg_nm - model.rg_angstrom / 10) < 2 * fit.rg_error_nm + 0.05
    assert outputs.technique == "SANS"
    assert outputs.results["sample_events"] > 40_000
    wavelength = found["/sasentry/sastransmission_spectrum_sample/lambda"]
    transmission = found["/sasentry/sastransmission_spectrum_sample/T"]
    assert np.abs(transmission - np.exp(-0.03 * wavelength)).max() < 0.2
    assert abs(outputs.quantities["transmission"].value - 0.86) < 0.02
    groups = {one.path: one.attributes for one in outputs.tree.groups}
    for kind, name in (("sample", "sample"), ("background", "can")):  # as NXcanSAS has them
        spectrum = groups[f"/sasentry/sastransmission_spectrum_{kind}"]
        assert (spectrum["T_axes"], spectrum["name"]) == ("T", name)


def test_two_halves_of_a_run_give_the_bytes_of_the_whole(everything, event_datasets, parameters):
    halves = [("sample", event_datasets[name]) for name in ("first", "second")]
    whole = reduced(everything, parameters)
    assert same(whole, reduced([*halves, *everything[1:]], parameters))
    assert same(whole, reduced([*halves[::-1], *everything[1:]], parameters))


@dataclass(frozen=True)
class Struck:
    """An array opened, in whose first batch a signal strikes, once."""

    opened: object
    marker: Path
    number: int

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.opened, name)

    def batches(self, start, stop, *, rows):
        for batch in self.opened.batches(start, stop, rows=rows):
            if not self.marker.exists():
                self.marker.touch()
                os.kill(os.getpid(), self.number)
            yield batch


def struck(everything, marker, number):
    """Give the inputs, with a signal that strikes while events of the sample are counted."""
    (role, sample), *others = everything

    def look_up(name):
        array = sample.role(name)
        return Struck(array, marker, number) if name.startswith("event_time_offset") else array

    return [(role, Instead(sample, role=look_up)), *others]


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX has it")
def test_threads_and_processes_one_of_which_is_killed_give_the_same_bytes(
    everything, parameters, tmp_path
):
    given = struck(everything, tmp_path / "killed", signal.SIGKILL)
    with open_workers("processes", 2) as workers:
        apart = find_reduction("sans").run(given, parameters, workers)
    assert (tmp_path / "killed").exists()
    assert same(reduced(everything, parameters, 1), reduced(everything, parameters, 8))
    assert same(reduced(everything, parameters, 1), apart)


@pytest.mark.skipif(os.name != "posix", reason="stops as POSIX has it")
def test_ctrl_c_ends_the_counting(everything, parameters, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        reduced(struck(everything, tmp_path / "stopped", signal.SIGINT), parameters, 2)


@pytest.mark.parametrize("per_task", [1, 1_000, 7_919])
def test_any_cut_into_tasks_counts_the_same(event_datasets, parameters, per_task):
    given = SansParameters(**parameters)
    run = scattering_run(event_datasets["cell"], given, None, transmitted=False)
    sources = [(run.banks[0], PulseFrame()), (run.incident, PulseFrame())]
    with open_workers("threads", 2) as workers:
        whole = count_all(sources, given.bins(), workers, Silent())
        parts = count_all(sources[:1], given.bins(), workers, Silent(), per_task=per_task)
    assert whole[0].radial.sum() > 500
    assert np.array_equal(whole[0].radial, parts[0].radial)
    assert np.array_equal(whole[0].flat, parts[0].flat)


def test_masked_pixels_count_nothing_and_weigh_nothing(
    everything, event_datasets, parameters, given_array, given_dataset
):
    bad = np.zeros(32 * 32 + 30, np.uint8)
    bad[:512] = 1
    mask = given_dataset(
        event_datasets["sample"].record, {"pixel_mask": given_array("/mask", bad, {})}
    )
    plain, masked = (
        reduced(everything, parameters),
        reduced([*everything, ("mask", mask)], parameters),
    )
    assert masked.results["sample_events_of_masked_pixels"] > 10_000
    assert masked.results["sample_events"] < plain.results["sample_events"]
    ratio = values(masked)[f"{DATA}/I"][3:20] / values(plain)[f"{DATA}/I"][3:20]
    assert np.all(np.abs(ratio - 1) < 0.3)


def test_slow_neutrons_are_put_into_their_frame(tmp_path, model, parameters):
    from dataclasses import replace

    slow = replace(model, wavelengths_angstrom=(5.0, 13.0), incident_counts=3e4)
    path = write_event_file(tmp_path / "slow.nxs", measure_events(slow, "sample"))
    dataset = opened(path)
    given = {
        **parameters,
        "wavelength_min_angstrom": 5.0,
        "wavelength_max_angstrom": 13.0,
        "sample_transmission": 1.0,
    }
    with pytest.raises(
        ReductionError, match=r"13 angstrom fly 28\.\d+ m.*when later pulses"
    ) as told:
        reduced([("sample", dataset)], given)
    assert "wavelength_table=PID" in told.value.next_step
    framed = reduced(
        [("sample", dataset)], {**given, "frame_shortest_wavelength_angstrom": 4.5}
    ).results
    assert framed["sample_events_beyond_wavelengths"] == 0
    assert framed["warnings"] == []


def opened(path):
    from hsc.client import connect

    pid = hsc.ingest(str(path)).pid
    with connect() as catalog:
        return open_dataset(catalog.get(pid))


@pytest.mark.parametrize("surplus", [-3, 4])
def test_times_without_pixels_are_refused_or_paired_from_the_first(
    tmp_path, model, parameters, surplus
):
    run = measure_events(model, "cell", seed=3)
    dataset = opened(write_event_file(tmp_path / "odd.nxs", run, surplus_ids=surplus))
    given = {**parameters, "sample_transmission": 1.0}
    with pytest.raises(ReductionError, match=r"events have a time and \d+ a pixel"):
        reduced([("sample", dataset)], given)
    found = reduced([("sample", dataset)], {**given, "unequal_event_lengths": "leading"}).results
    counted = sum(value for name, value in found.items() if name.startswith("sample_events"))
    events = sum(len(bank.number) for bank in run.banks)
    assert counted == events + min(surplus, 0) * len(run.banks)


def test_what_looks_wrong_is_told_in_the_result(everything, parameters):
    found = {name: each for name, each in everything if name != "direct_beam"}
    pair = {"transmission": found["empty_beam"], "empty_beam": found["transmission"]}
    outputs = reduced({**found, **pair}, {**parameters, "wavelength_bands": 4})
    said = outputs.results["warnings"]
    assert "transmission of the sample is 1." in said[0]
    assert values(outputs)["/sasentry/sasprocess01/warnings"].tolist() == said
    assert outputs.results["bands_chi2"] > 0


def test_choppers_without_a_table_and_pulses_without_a_period_are_told(tmp_path, model, parameters):
    path = write_event_file(tmp_path / "run.nxs", measure_events(model, "cell", seed=3))
    with h5py.File(path, "r+") as file:
        chopper = file["entry/instrument"].create_group("bandwidth")
        chopper.attrs["NX_class"] = "NXdisk_chopper"
        chopper["rotation_speed"] = 14.0
        del file["entry/instrument/source/frequency"]
    given = {**parameters, "sample_transmission": 1.0}
    said = reduced([("sample", opened(path))], given).results["warnings"]
    assert "the choppers bandwidth are not looked at" in said[0]
    assert "time from pulse to pulse is not known" in said[1]
    with h5py.File(path, "r+") as file:
        events = file["entry/instrument/rear/rear_events"]
        events["event_time_offset"][...] //= 1_000_000
    with pytest.raises(ReductionError, match=r"none of \d+ events counts.*not of 2 to 9 angstrom"):
        reduced([("sample", opened(path))], {**given, "banks": "rear"})
    with pytest.raises(ReductionError, match=r"monitor 'monitor_2' stands 0\.3 m behind") as told:
        reduced([("sample", opened(path))], {**given, "incident_monitor": "monitor_2"})
    assert "there are monitor_1" in told.value.next_step


def test_what_is_missing_is_named_with_its_unit_and_where_it_was_looked_for(
    everything, event_datasets, parameters
):
    without = [each for each in everything if each[0] != "empty_beam"]
    with pytest.raises(ParameterError, match="'empty_beam'") as told:
        reduced(without, parameters)
    assert "-p sample_transmission" in str(told.value.next_step)
    with pytest.raises(RoleMissingError, match=r"event_time_offset.*in ns"):
        reduced([("sample", event_datasets["empty_beam"])], parameters)
    with pytest.raises(RoleMissingError, match="no monitor 'm9'") as told:
        reduced(everything, {**parameters, "incident_monitor": "m9"})
    assert "monitor_1, monitor_2" in str(told.value.next_step)
    with pytest.raises(ParameterError, match="no bank 'front'") as told:
        reduced(everything, {**parameters, "banks": "rear,front"})
    assert "rear, side" in str(told.value.next_step)
    with pytest.raises(ReductionError, match="uncertainties=fail"):
        reduced(everything, {**parameters, "uncertainties": "fail"})
    with pytest.raises(ParameterError, match="q_min_per_angstrom"):
        reduced(everything, {**parameters, "q_min_per_angstrom": 0.9})
    with pytest.raises(ParameterError, match="logarithmic"):
        reduced(everything, {**parameters, "q_min_per_angstrom": 0.0, "q_scale": "log"})


def test_a_bank_that_moves_and_pulses_that_go_back_are_refused(tmp_path, model, parameters):
    run = measure_events(model, "cell", seed=3)
    path = write_event_file(tmp_path / "moves.nxs", run)
    with h5py.File(path, "r+") as file:
        steps = file["entry/instrument/side/transformations"]
        attributes = dict(steps["distance"].attrs)
        del steps["distance"]
        steps["distance"] = np.array([1.5, 1.6])
        steps["distance"].attrs.update(attributes)
    given = {**parameters, "sample_transmission": 1.0}
    dataset = opened(path)
    with pytest.raises(ReductionError, match="moves during the run"):
        reduced([("sample", dataset)], given)
    assert reduced([("sample", dataset)], {**given, "banks": "rear"}).results["bins"] > 20
    path = write_event_file(tmp_path / "back.nxs", run)
    with h5py.File(path, "r+") as file:
        file["entry/instrument/rear/rear_events/event_index"][5] = 1
    with pytest.raises(ReductionError, match="first event of pulse 5 is 1"):
        reduced([("sample", opened(path))], given)


class Through:
    """Something opened, but for what a subclass does in another way."""

    def __init__(self, opened):
        self._opened = opened

    def __getattr__(self, name):
        return getattr(self._opened, name)


class MissedTimes(Through):
    """Times of events, those around the middle taken for the begin of the pulse."""

    def batches(self, start, stop, *, rows):
        low, high = np.quantile(self._opened.read(), [0.4, 0.6])
        for batch in self._opened.batches(start, stop, rows=rows):
            yield np.where((batch > low) & (batch < high), 0, batch)


class Deaf(Through):
    """A dataset whose monitors missed what came in the middle of each pulse."""

    def role(self, name):
        array = self._opened.role(name)
        return MissedTimes(array) if name.startswith("monitor@") else array


def test_events_where_monitors_saw_nothing_are_refused_and_not_divided_by_less(
    everything, parameters
):
    given = [(name, Deaf(each) if name == "empty_beam" else each) for name, each in everything]
    with pytest.raises(ReductionError, match="in which a monitor counted nothing") as caught:
        reduced(given, {**parameters, "qxy_bins": 0})
    assert "wavelength_bins" in (caught.value.next_step or "")


def test_a_mask_of_a_bank_that_was_never_written_is_refused(everything, parameters):
    class Unwritten:
        path = "/mask"

        def unwritten(self):
            return (0,)

    given = SansParameters(**parameters)
    bank = scattering_run(everything[0][1], given, None, transmitted=False).banks[0]
    with pytest.raises(ReductionError, match="/mask was never written"):
        make_pixels(replace(bank, masks=((Unwritten(), 0),)))


class Instead:
    """Stands for an object, but for some of its attributes."""

    def __init__(self, other, **instead):
        self._other = other
        self.__dict__.update(instead)

    def __getattr__(self, name):
        return getattr(self._other, name)


@pytest.mark.parametrize("role", ["event_id", "event_time_offset"])
def test_events_that_were_never_written_are_refused(event_datasets, parameters, role):
    whole = event_datasets["sample"]

    def look_up(name):
        array = whole.role(name)
        return Instead(array, unwritten=lambda: (3, 4)) if name.startswith(role) else array

    with pytest.raises(ReductionError, match=r"2 of \d+ values were never written") as told:
        reduced(
            [("sample", Instead(whole, role=look_up))], {**parameters, "sample_transmission": 1.0}
        )
    assert role in told.value.where
