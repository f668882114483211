"""A run that is divided by itself has a transmission of 1, which nobody measured."""

from __future__ import annotations

import pytest

from hsc.errors import ParameterError
from hsc.reductions import find_reduction
from hsc.workers import ThreadWorkers


def reduced(given, parameters):
    return find_reduction("sans").run(given, parameters, ThreadWorkers(1))


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("transmission", "sample"),
        ("sample", "sample"),
        ("background_transmission", "background"),
        ("background", "background"),
    ],
)
def test_a_run_that_is_its_own_empty_beam_is_refused(everything, parameters, name, of):
    given = dict(everything)
    given["empty_beam"] = given[name]
    said = f"{name!r} and as 'empty_beam', .*: it would be 1"
    with pytest.raises(ParameterError, match=said) as told:
        reduced(given, parameters)
    assert f"-p {of}_transmission=" in told.value.next_step
    # Where the number is given, no empty beam is looked at.
    both = {"sample_transmission": 0.9, "background_transmission": 1.0, "qxy_bins": 0}
    assert reduced(given, {**parameters, **both}).results["sample_events"] > 0
