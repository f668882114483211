"""The numbers are those of ESS's own esssans, provider by provider, with gravity."""

from __future__ import annotations

import numpy as np
import pytest
import scipp as sc
from ess.sans import i_of_q, normalization

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


def test_bands_of_wavelength_are_those_of_esssans(
    everything, event_files, model, parameters, esssans
):
    given = {**parameters, "wavelength_bands": 5, "uncertainties": "drop"}
    ours, runs = reduced(everything, given), event_files[0]
    oracle = esssans(model, parameters, True, "drop")
    edges = sc.array(dims=["wavelength"], values=ours[f"{ENTRY}/bands/wavelength"], unit="angstrom")
    assert edges.values[[0, -1]].tolist() == [2.0, 9.0]
    oracle.bands = normalization.process_wavelength_bands(edges, oracle.wavelength)
    points = np.linspace(1.0, 10.0, 19)
    beam = sc.DataArray(
        sc.array(dims=["wavelength"], values=model.efficiency(points)),
        coords={"wavelength": sc.array(dims=["wavelength"], values=points, unit="angstrom")},
    )
    parts = {}
    for what in ("sample", "cell"):
        chosen = (runs[what], runs[f"{what}_transmission"], runs["empty_beam"])
        parts[what] = oracle.intensity(*chosen, beam, None, False)[0]
    sample, cell = parts["sample"], parts["cell"]
    theirs = i_of_q.subtract_background(sample, cell, False)
    found, deviation = ours[f"{ENTRY}/bands/I"], ours[f"{ENTRY}/bands/Idev"]
    used = np.isfinite(theirs.values)
    assert used.any(axis=1).all()
    assert np.array_equal(used, np.isfinite(found))
    scale = (sample.values + cell.values)[used]
    assert np.all(np.abs(found[used] - theirs.values[used]) <= 1e-12 * scale)
    np.testing.assert_allclose(deviation[used] ** 2, theirs.variances[used], rtol=1e-11)
