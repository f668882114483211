"""What is told beside the numbers: frames of which nothing is left, and flats of raw counts."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.reductions.azimuthal.reduction import AZIMUTHAL, reduce_azimuthal
from hsc.workers import Silent, ThreadWorkers


def told(dataset, most_numbers=10**7, **others):
    """Give the warnings of a run, however long its series is."""
    lowest = others.pop("lowest_counts", None)
    inputs = AZIMUTHAL.bind({"sample": dataset, **others})
    asked = AZIMUTHAL.parse({"bins": 5, "lowest_counts": lowest})
    outputs = reduce_azimuthal(inputs, asked, ThreadWorkers(1), Silent(), most_numbers)
    if not outputs.streams:
        return outputs.results["warnings"]
    (stream,) = outputs.streams
    notes = [stream.make(start, min(start + 4, stream.rows))[1] for start in range(0, 13, 4)]
    return stream.finish(notes)[1]["warnings"]


@pytest.mark.parametrize("most_numbers", [10**7, 1])
def test_frames_in_which_no_pixel_counts_are_told_of(in_memory, random_frames, most_numbers):
    frames = np.minimum(random_frames(), 9)
    assert told(in_memory(frames), most_numbers) == []
    (said,) = told(in_memory(frames), most_numbers, lowest_counts=10)
    assert said.startswith("no pixel counts in 13 of 13 frames, whose intensity is NaN: all are ")
    assert "from 10 to 65534 " in said
    frames[[2, 5]] = 65535
    (said,) = told(in_memory(frames), most_numbers)
    assert said.startswith("no pixel counts in 2 of 13 frames")


def test_floating_point_frames_of_nothing_are_told_of_without_limits(in_memory):
    frames = np.full((1, 6, 5), np.nan, dtype=np.float32)
    (said,) = told(in_memory(frames))
    assert "outside the good counts or no numbers" in said


@pytest.mark.parametrize(("level", "factor"), [(1.0, None), (1.9, None), (2500.0, "0.0004")])
def test_a_flat_of_counts_is_told_of_with_what_undoes_it(
    in_memory, random_frames, picture, level, factor
):
    frames = np.minimum(random_frames(2), 9)
    flat = np.full((60, 50), level)
    flat[:5] = -1
    given = in_memory(frames, flatfield=picture(flat)).without("frames")
    said = told(in_memory(frames), flat=given)
    if factor is None:
        assert said == []
    else:
        assert said[0].startswith("the flat is about 2500, not 1, ")
        assert f"-p normalization_factor={factor} undoes" in said[0]


@pytest.mark.parametrize(("name", "role"), [("flat", "flatfield"), ("dark", "dark")])
def test_an_array_that_is_taken_where_frames_may_be_meant_is_told_of(
    in_memory, random_frames, picture, name, role
):
    frames = np.minimum(random_frames(2), 9)
    beside = in_memory(frames, **{role: picture(np.ones((60, 50)))})
    (said,) = told(in_memory(frames), **{name: beside})
    assert said.startswith(f"the {name} given has frames, too: its array /entry/mask was taken")
    assert told(in_memory(frames), **{name: beside.without("frames")}) == []
    assert not [
        each for each in told(in_memory(frames), **{name: beside.without(role)}) if "too" in each
    ]
