"""An elution of two species of known size: buffer, peaks and what each of them is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.reductions.biosaxs.chromatogram import (
    Chromatogram,
    ChromatogramParameters,
    Peak,
    find_peaks,
)
from hsc.reductions.biosaxs.elution import Elution, steady
from hsc.reductions.biosaxs.sec import SEC_SAXS
from hsc.workers import ThreadWorkers

PARAMETERS = {"bins": 100, "pr": False, "report": False}


def run(dataset, workers=2, buffer=None, **parameters):
    inputs = {"sample": dataset}
    if buffer is not None:
        inputs["buffer"] = buffer
    return SEC_SAXS.run(inputs, {**PARAMETERS, **parameters}, ThreadWorkers(workers))


def arrays(outputs):
    return {one.path: one.values for one in outputs.tree.arrays}


def contents(outputs):
    return [
        (one.path, one.values.dtype.str, one.values.shape, one.values.tobytes())
        for one in outputs.tree.arrays
    ]


def test_two_species_are_found_with_their_radii_and_the_buffer_between_nothing(elution, sec_model):
    outputs = run(elution(), pr=True, pr_points=30, pr_samples=20)
    peaks = outputs.results["peaks"]
    assert len(peaks) == 2
    for peak, species in zip(peaks, sec_model.species, strict=True):
        assert abs(peak["top_frame"] - 1 - species.top_frame) <= 2
        # A straight line is too steep on a sphere by (q_max Rg)² / 98: see fit_guinier.
        expected = species.rg_nm * (1 + peak["guinier_qrg_max"] ** 2 / 98)
        assert peak["rg_nm"] == pytest.approx(expected, rel=0.01)
        assert peak["pr_rg_nm"] == pytest.approx(species.rg_nm, rel=0.01)
        assert peak["dmax_nm"] == pytest.approx(2 * species.radius_nm, rel=0.1)
    got = arrays(outputs)
    numbers = got["/results/chromatogram/rg"]
    for species in sec_model.species:
        top = int(species.top_frame)
        along = numbers[top - 5 : top + 6]
        assert along == pytest.approx(species.rg_nm, rel=0.05)
    assert np.isnan(numbers[:60]).all()
    assert np.isfinite(got["/results/chromatogram/mass"][int(sec_model.species[0].top_frame)])
    kept = np.flatnonzero(got["/results/chromatogram/buffer"])
    # All of it where both species together are below a thousandth of their tops.
    assert len(kept) >= 20
    assert all(sum(species.share(frame) for species in sec_model.species) < 1e-3 for frame in kept)
    assert outputs.results["warnings"] == []
    json.dumps([outputs.results, *(dict(one.attributes) for one in outputs.tree.arrays)])


def test_buffer_and_peaks_are_taken_as_named(elution):
    named = {"sec_buffer": "1-40,230-240", "sec_peaks": "106-116, 170-180"}
    outputs = run(elution(), report=True, **named)
    assert {"report.html", "report.png", "peak_1/subtracted.dat", "peak_2/sasbdb.zip"} <= set(
        outputs.files
    )
    page = outputs.files["report.html"].decode()
    assert "Chromatogram" in page
    assert "Peak 2, frames 170-180" in page
    assert outputs.results["buffer_frames"] == "1-40,230-240"
    assert [peak["frames"] for peak in outputs.results["peaks"]] == ["106-116", "170-180"]
    got = arrays(outputs)
    assert (np.flatnonzero(got["/results/chromatogram/peak"] == 2) + 1).tolist() == list(
        range(170, 181)
    )
    with pytest.raises(ParameterError, match="frame 241 is named, but there are 240"):
        run(elution(), sec_peaks="200-241")


def test_a_run_of_buffer_of_its_own_is_subtracted(elution):
    outputs = run(elution(slice(90, 200)), buffer=elution(slice(0, 40)))
    assert not outputs.results["buffer_in_run"]
    radii = [peak["rg_nm"] for peak in outputs.results["peaks"]]
    assert radii == pytest.approx([3.94, 1.97], rel=0.01)
    assert "/reduction/buffer_frames_1/kept" in arrays(outputs)


def test_numbers_along_the_elution_are_of_the_same_subtraction_as_those_of_its_peaks(elution):
    named = {"sec_buffer": "1-40", "sec_peaks": "106-116", "sec_window_frames": 11}
    outputs = run(elution(), buffer_scale=0.97, **named)
    along = arrays(outputs)["/results/chromatogram/i0"][110]
    assert along == pytest.approx(outputs.results["peaks"][0]["i0"], rel=1e-9)


@pytest.mark.parametrize("name", ["sec_window_frames", "sec_smoothing_frames"])
def test_a_window_without_a_middle_frame_is_refused(name):
    with pytest.raises(ParameterError, match=f"{name}.*give 5, or 3"):
        SEC_SAXS.parse({name: 4})


def test_an_elution_without_buffer_says_how_to_name_it(elution):
    with pytest.raises(ReductionError, match="lie on the baseline") as refusal:
        run(elution(slice(100, 122)))
    assert "-p sec_buffer=1-200" in refusal.value.next_step


def test_buffer_alone_has_no_peak(elution):
    with pytest.raises(ReductionError, match="no peak rises") as refusal:
        run(elution(slice(0, 60)))
    assert "-p sec_peaks=" in refusal.value.next_step


def test_a_peak_without_a_guinier_region_is_told_of_and_the_others_stand(elution):
    outputs = run(elution(), sec_peaks="2-6,170-180", sec_buffer="20-60")
    assert len(outputs.results["peaks"]) == 1
    assert any("peak 1, frames 2-6, gives no numbers" in w for w in outputs.results["warnings"])


def test_any_number_of_threads_gives_the_same_bytes(elution):
    one = run(elution(), workers=1)
    assert contents(one) == contents(run(elution(), workers=3))


def test_arrays_have_dimension_names_of_one_length_each_and_roles_lead_to_them(elution):
    outputs = run(elution())
    lengths = {}
    for one in outputs.tree.arrays:
        assert len(one.dimension_names) == one.values.ndim, one.path
        for name, length in zip(one.dimension_names, one.values.shape, strict=True):
            assert lengths.setdefault(name, length) == length, one.path
    paths = [one.path for one in outputs.tree.arrays]
    assert len(paths) == len(set(paths))
    assert all(path in paths for path in outputs.tree.roles.values())
    assert arrays(outputs)[outputs.tree.roles["frames_intensity"]].shape == (240, 100)
    entries = [
        one.path for one in outputs.tree.groups if one.attributes.get("canSAS_class") == "SASentry"
    ]
    assert entries == ["/peak_1", "/peak_1_buffer", "/peak_2", "/peak_2_buffer"]


def made(intensity):
    values = np.asarray(intensity, dtype=float)
    return Chromatogram(values, np.ones_like(values), values, 0.0, 0.01)


class Counted:
    frames = 40
    where = "here"


def test_a_peak_reaches_half_way_down_on_either_side():
    frames = np.arange(40)
    chromatogram = made(10 * np.exp(-(((frames - 20) / 6) ** 2)))
    (peak,) = find_peaks(chromatogram, ChromatogramParameters(sec_peak_least_frames=5), Counted())
    half = chromatogram.intensity[peak.start : peak.stop] >= 5
    assert half.all()
    assert chromatogram.intensity[[peak.start - 1, peak.stop]].max() < 5
    assert peak.top == 20


def test_a_peak_ends_where_the_radius_leaves_that_of_its_top():
    rg = np.array([3.0, 3.3, 3.9, 4.0, 4.05, 3.95, 3.9, 3.2, 4.0])
    nothing = np.full(9, 0.01)
    elution = Elution(rg, nothing, rg, nothing, rg)
    assert steady(Peak(4, 0, 9), elution, 0.05) == Peak(4, 2, 7)
    unknown = Elution(np.full(9, np.nan), nothing, rg, nothing, rg)
    assert steady(Peak(4, 0, 9), unknown, 0.05) == Peak(4, 0, 9)
