"""Events keep their pixels however arrays are chunked; what monitors can't have seen is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import PixelPaths, PulseFrame, count_events, event_bins, no_counts
from hsc.reductions.sans.counting import EventTask, count_task
from hsc.reductions.sans.direct_beam import direct_beam_at
from hsc.reductions.sans.flight import Flight
from hsc.reductions.sans.monitors import monitor_of
from hsc.reductions.sans.parameters import SansBins, SansParameters
from hsc.reductions.sans.pixels import Bank, Pixels, PixelSettings, _keep
from hsc.reductions.sans.places import beam_of
from hsc.reductions.sans.runs import EventRun
from hsc.reductions.sans.spectrum import MonitorCounts, corrected

WHERE = SimpleNamespace(pid="10.5072/run", instrument="LOKI", sample=None)


@dataclass(frozen=True)
class Chunked:
    """An array that gives batches of as many rows as its chunks hold."""

    values: np.ndarray
    chunk: int
    path: str = "/events"

    def batches(self, start, stop, *, rows):
        for low in range(start, stop, self.chunk):
            yield self.values[low : min(low + self.chunk, stop)]


@pytest.mark.parametrize("chunks", [(300, 512), (512, 300), (7, 2_000)])
def test_events_keep_their_pixels_where_the_chunks_of_both_arrays_are_others(chunks):
    rng = np.random.default_rng(4)
    numbers = rng.integers(1, 41, 2_000).astype(np.int32)
    times = rng.integers(1, 90, 2_000).astype(np.float64)
    table = np.ones((40, 4))
    table[:, 1] = np.arange(40) + 0.5
    paths = PixelPaths(1, table)
    bins = SansBins(event_bins(np.linspace(0, 90, 31)), event_bins(np.linspace(0, 1, 41)), None)
    whole = no_counts(bins.wavelength, bins.q, None)
    count_events(whole, numbers, times, paths, bins.wavelength, bins.q)
    events = Chunked(numbers, chunks[0]), Chunked(times, chunks[1])
    bank = Bank("rear", *events, None, None, (), (), np.eye(4), None, 1e-9, PixelSettings(), "here")
    bank = replace(bank, key=_keep(Pixels(paths, np.ones(40)), ""))
    found = count_task(EventTask(bank, 0, 2_000, bins, PulseFrame()))
    assert whole.radial.any()
    assert np.array_equal(found.radial, whole.radial)
    assert np.array_equal(found.left_out, whole.left_out)
    with pytest.raises(ParameterError, match="3 events have a pixel and 2 a time"):
        count_events(whole, numbers[:3], times[:2], paths, bins.wavelength, bins.q)


def placed(given_array, **distances_m):
    def far(role, metres):
        return given_array(f"/{role}", np.array([metres]), {"units": "m"})

    return {role.replace("_at_", "@"): far(role, metres) for role, metres in distances_m.items()}


def test_distances_are_from_the_sample_wherever_it_stands(given_array, given_dataset):
    arrays = placed(
        given_array,
        sample_distance=0.5,
        source_distance=-20.0,
        monitor_distance_at_m1=-2.0,
    )
    arrays["monitor@m1"] = given_array("/m1", np.zeros(3), {"units": "ns"})
    dataset = given_dataset(WHERE, arrays)
    beam = beam_of(dataset, gravity=True)
    assert beam.length_m == 20.0
    assert beam.sample.tolist() == [0, 0, 0.5]
    flight = Flight(0.0, None, (), (), "here")
    assert monitor_of(dataset, SansParameters(), beam, flight, "incident").length_m == 18.0


@pytest.mark.parametrize(
    ("times", "counts", "unwritten", "said"),
    [
        ([0.0, 2e4, 1e4, 3e4], [1, 2, 3], (), "do not ascend"),
        ([0.0, 1e4, 2e4, 3e4], [1, np.nan, 3], (), "a count is no number"),
        ([0.0, 1e4, 2e4, 3e4], [1, 2, 3], (1,), "1 of 3 values were never written"),
    ],
)
def test_a_monitor_of_bins_that_is_damaged_is_refused(
    given_array, given_dataset, times, counts, unwritten, said
):
    arrays = placed(given_array, source_distance=-20.0, monitor_distance_at_m1=-2.0)

    class Holed(given_array):
        def unwritten(self):
            return unwritten

    arrays["monitor@m1"] = Holed("/m1", np.array(counts), {"units": "counts"})
    arrays["monitor_time_of_flight@m1"] = given_array("/t", np.array(times), {"units": "us"})
    dataset = given_dataset(WHERE, arrays)
    flight = Flight(0.0, None, (), (), "here")
    with pytest.raises(ReductionError, match=said):
        monitor_of(dataset, SansParameters(), beam_of(dataset, gravity=True), flight, "incident")


@pytest.mark.parametrize("background", [{}, {"monitor_signal_max_angstrom": 3.0}])
def test_bins_that_a_monitor_covers_in_part_count_nothing(background):
    given = MonitorCounts(np.linspace(1.25, 4.5, 14), np.full(13, 8.0), "here")
    found = corrected(given, np.linspace(1.0, 5.0, 9), SansParameters(**background))
    assert (found.values != 0).tolist() == [False, *[True] * 6, False] if not background else True
    assert found.values[[0, 7]].tolist() == [0.0, 0.0]
    assert found.variances[[0, 7]].tolist() == [0.0, 0.0]
    # To the last bit of an edge that was worked out in another way it is covered.
    near = replace(given, edges=np.nextafter(np.linspace(1.0, 5.0, 14), 9))
    assert np.all(corrected(near, np.linspace(1.0, 5.0, 9), SansParameters()).values > 0)


def test_a_transmission_monitor_that_slow_neutrons_of_another_pulse_reach_is_refused():
    counts = MonitorCounts(np.array([1.0, 13.0]), np.array([5.0]), "here", 10.0)
    flight = Flight(1 / 14, None, (), (), "here")
    run = EventRun(None, (), counts, replace(counts, length_m=40.0), flight)
    with pytest.raises(ReductionError, match="fly 40 m to the monitor behind the sample"):
        run.refuse_overlap(SansParameters(wavelength_max_angstrom=13.0))
    replace(run, transmitted=None).refuse_overlap(SansParameters(wavelength_max_angstrom=13.0))


def test_a_direct_beam_beyond_its_points_is_told_and_one_below_zero_refused(
    given_array, given_dataset
):
    def beam(values):
        axis = given_array("/w", np.array([2.0, 4.0]), {"units": "angstrom"})
        arrays = {"wavelength": axis, "intensity": given_array("/i", np.array(values), {})}
        return given_dataset(WHERE, arrays)

    found, said = direct_beam_at(beam([1.0, 2.0]), np.array([2.5, 5.0]))
    assert found.tolist() == [1.25, 2.5]
    assert "drawn out straight to 1 of 2 bins" in said[0]
    assert direct_beam_at(beam([1.0, 2.0]), np.array([2.0, 4.0]))[1] == []
    with pytest.raises(ReductionError, match=r"is -0\.5 at 7 angstrom.*2 to 4"):
        direct_beam_at(beam([2.0, 1.0]), np.array([2.5, 7.0]))
    with pytest.raises(ReductionError, match="is nan"):
        direct_beam_at(beam([np.nan, 1.0]), np.array([2.5]))
