"""What every reduction stands in: inputs by role, parameters, where numbers are looked for."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ParameterError, RoleMissingError
from hsc.model import Record
from hsc.reductions import REDUCTIONS, Input, Inputs, Outputs, Reduction, list_reduction
from hsc.reductions.numbers import Sought, find_number, look_up
from hsc.store import NewArray, NewTree
from hsc.workers import ThreadWorkers

DISTANCE = Sought("distance_m", "distance", "m", "length")


class Settings(Record):
    """How to count."""

    step_m: float = 1.0
    """Length of a step,
    in m."""


def count(inputs: Inputs, parameters: Settings, workers, progress) -> Outputs:
    titles = [each.record.title for each in inputs.every("buffer")]
    mask = inputs.optional("mask")
    values = np.array([len(titles), int(mask is not None), int("mask" in inputs)])
    tree = NewTree(arrays=(NewArray("/counts", values, ("n",)),))
    return Outputs(tree, {"titles": titles}, {}, inputs.one("sample").record.title)


COUNT = Reduction(
    name="count",
    version="1",
    summary="how many there are",
    inputs=(
        Input("sample", "one"),
        Input("buffer", "any number", required=False, many=True),
        Input("mask", "one or none", required=False),
    ),
    parameters=Settings,
    function=count,
)


@pytest.fixture
def datasets(in_memory, random_frames):
    return [in_memory(random_frames(count=2)) for _ in range(3)]


def test_several_datasets_of_one_role_keep_their_order(datasets):
    sample, one, two = datasets
    outputs = COUNT.run({"sample": sample, "buffer": (one, two)}, None, ThreadWorkers(1))
    assert outputs.tree.arrays[0].values.tolist() == [2, 0, 0]
    bound = COUNT.bind([("buffer", two), ("", sample), ("buffer", one), ("mask", one)])
    assert bound.every("buffer") == (two, one)
    assert bound.one("sample") is sample
    assert bound.optional("mask") is one


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (["buffer"], "no input 'sample'"),
        (["sample", "sample"], "2 datasets for the input 'sample', which takes one"),
        (["sample", "", "mask"], "2 datasets for the input 'sample'"),
        (["sample", "mask", "mask"], "2 datasets for the input 'mask'"),
        (["sample", "bufer"], "unknown input 'bufer'"),
    ],
)
def test_an_input_that_is_missing_unknown_or_too_often_there_is_named(datasets, roles, said):
    with pytest.raises(ParameterError, match=said) as caught:
        COUNT.bind([(role, datasets[0]) for role in roles])
    assert caught.value.next_step == "give sample=PID [buffer=PID]... [mask=PID]"


def test_a_number_is_found_in_the_first_place_that_has_it(datasets, scalar_array):
    near = datasets[0].having(distance=scalar_array("distance", 250.0, "mm"))
    far, without = datasets[1], datasets[2].without("distance")
    assert find_number((without, near, far), None, DISTANCE) == 0.25
    assert find_number((None, far), None, DISTANCE) == 2.0
    assert find_number(near, 7.0, DISTANCE) == 7.0
    assert look_up(near, 7.0, DISTANCE).source == "parameter"
    assert look_up((far, near), None, DISTANCE).source == f"{far.record.pid}@1 /entry/distance"
    with pytest.raises(RoleMissingError, match=r"distance_m \(in m\)") as caught:
        find_number((without, without), None, DISTANCE)
    assert str(without.record.pid) in caught.value.message


def test_an_impossible_parameter_is_named_with_its_unit_and_who_gave_it():
    with pytest.raises(ParameterError) as caught:
        COUNT.parse({"step_m": "far"}, {"step_m": "recipe"})
    assert "step_m (in m)" in caught.value.message
    assert "given by recipe: 'far'" in caught.value.message


@pytest.mark.parametrize("reduction", REDUCTIONS.values(), ids=REDUCTIONS)
def test_every_parameter_of_every_reduction_is_described(reduction):
    listing = list_reduction(reduction)
    assert [each.name for each in listing.parameters] == sorted(reduction.parameters.model_fields)
    assert all(each.description for each in listing.parameters)
    assert all(each.description for each in listing.inputs)
    assert listing.document()


def test_a_listing_gives_unit_default_and_docstring():
    (parameter,) = list_reduction(COUNT).parameters
    told = (parameter.name, parameter.unit, parameter.default, parameter.description)
    assert told == ("step_m", "m", 1.0, "Length of a step, in m.")
