"""The numbers are those of ESS's own esssans, provider by provider, with gravity."""

from __future__ import annotations

import pytest

from hsc.reductions import find_reduction
from hsc.workers import open_workers

ENTRY = "/sasentry"
BACKGROUND = {"monitor_signal_min_angstrom": 2.5, "monitor_signal_max_angstrom": 8.0}


def reduced(everything, parameters):
    with open_workers("threads", 2) as workers:
        outputs = find_reduction("sans").run(everything, parameters, workers)
    return {array.path: array.values for array in outputs.tree.arrays}


@pytest.mark.parametrize("gravity", [True, False])
@pytest.mark.parametrize("mode", ["drop", "upper_bound"])
def test_intensities_and_their_variances_are_those_of_esssans(
    everything, event_files, model, parameters, gravity, mode, esssans, held
):
    ours = reduced(
        everything, {**parameters, **BACKGROUND, "gravity": gravity, "uncertainties": mode}
    )
    held(ours, event_files[0], esssans(model, parameters, gravity, mode), BACKGROUND)
