"""An elution of two species of known size: buffer, peaks and what each of them is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.reductions.biosaxs.chromatogram import (
    Chromatogram,
    ChromatogramParameters,
    find_peaks,
)
from hsc.reductions.biosaxs.elution import Elution
from hsc.reductions.biosaxs.purity import trend_of
from hsc.reductions.biosaxs.sec import SEC_SAXS
from hsc.testing.sec import SecModel, Species
from hsc.workers import ThreadWorkers

PARAMETERS = {"bins": 100, "pr": False, "report": False}


def run(dataset, workers=2, buffer=None, absolute=None, **parameters):
    given = {"sample": dataset, "buffer": buffer, "absolute": absolute}
    inputs = {name: one for name, one in given.items() if one is not None}
    return SEC_SAXS.run(inputs, {**PARAMETERS, **parameters}, ThreadWorkers(workers))


def arrays(outputs):
    return {one.path: one.values for one in outputs.tree.arrays}


def contents(outputs):
    return [
        (one.path, one.values.dtype.str, one.values.shape, one.values.tobytes())
        for one in outputs.tree.arrays
    ]


def test_two_species_are_found_with_their_radii_and_the_buffer_between_nothing(elution, sec_model):
    # The model's detector ends at 1.35 1/nm.
    outputs = run(elution(), pr=True, pr_points=30, pr_samples=20, vc_q_max_per_nm=1.3)
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
    assert [peak["doubts"] for peak in peaks] == [[], []]
    assert not outputs.results["rg_doubtful"]
    assert "radius_of_gyration" in outputs.quantities
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
    nothing = np.zeros(len(values), dtype=bool)
    return Chromatogram(values, np.ones_like(values), values, 0.0, 0.01, nothing)


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


def test_tops_of_one_height_without_a_valley_between_them_are_one_peak():
    height = np.concatenate([np.arange(15), [14.9, 15, 14.9, 15, 14.9, 15], np.arange(15)[::-1]])
    (peak,) = find_peaks(made(height), ChromatogramParameters(sec_peak_least_frames=5), Counted())
    assert peak.top in {16, 18, 20}
    assert (height[peak.start : peak.stop] >= 7).all()


def test_a_trend_counts_what_neighbours_share():
    rg = np.linspace(4.0, 3.0, 11)
    error = np.full(11, 0.1)
    trend = trend_of(Elution(rg, error, rg, error, rg), 0, 11, window=1)
    assert trend.change_nm == pytest.approx(-1)
    assert trend.error_nm == pytest.approx(0.1 * 10 / np.sqrt(110))
    assert trend.changes(0.05)
    wide = trend_of(Elution(rg, error, rg, error, rg), 0, 11, window=25)
    assert wide.error_nm == pytest.approx(5 * trend.error_nm)
    assert not trend_of(Elution(rg, 10 * error, rg, error, rg), 0, 11, 1).changes(0.05)
    assert trend_of(Elution(rg * np.nan, error, rg, error, rg), 0, 11, 1) is None


@pytest.fixture(scope="module")
def mixture():
    """Two species whose peaks run into each other, and a third one behind the second's shoulder."""
    return SecModel(
        frames=260,
        species=(
            Species(4.0, 40.0, 90.0, 11.0),
            Species(2.4, 40.0, 122.0, 11.0),
            Species(5.0, 40.0, 190.0, 9.0),
            Species(3.0, 25.0, 206.0, 9.0),
        ),
        lost=(30, 85),
    )


def share_of(model, wanted, frames):
    """Give the share of a species in the forward scattering of frames, 1 where it is alone."""
    all_of = {
        one: one.forward_counts * sum(one.share(frame) for frame in frames) for one in model.species
    }
    return all_of[wanted] / sum(all_of.values())


def numbers_of(text):
    kept = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        kept += range(int(first) - 1, int(last or first))
    return kept


def test_of_peaks_that_overlap_the_clean_part_is_taken_and_the_overlap_told(mixture, opened_model):
    outputs = run(opened_model(mixture))
    said = " | ".join(outputs.results["warnings"])
    peaks = outputs.results["peaks"]
    assert len(peaks) == 3
    first, second, third = mixture.species[:3]
    for peak, species in zip(peaks, (first, second, third), strict=True):
        used, whole = (
            share_of(mixture, species, numbers_of(peak[name]))
            for name in ("frames", "found_frames")
        )
        assert used > max(0.94, whole)
        expected = species.rg_nm * (1 + peak["guinier_qrg_max"] ** 2 / 98)
        assert peak["rg_nm"] == pytest.approx(expected, rel=0.025)
        assert abs(peak["rg_change_used_nm"]) < abs(peak["rg_change_nm"])
        assert peak["least_shape_probability"] < 1e-5
    assert "peaks 1 and 2 overlap: between them the chromatogram falls to" in said
    assert "(limit 10%)" in said
    for peak, others in zip(peaks, (True, True, False), strict=True):
        assert any("overlap" in one for one in peak["doubts"]) == others
    for number in (1, 2, 3):
        assert f"peak {number}: of frames" in said
        assert (f"peak {number}: Rg changes by" in said) == (number > 1)
    assert "peaks 2 and 3 overlap" not in said
    assert 85 not in numbers_of(peaks[0]["frames"])
    assert 30 not in numbers_of(outputs.results["buffer_frames"])
    assert "frames 31,86 scatter up to" in said


def test_a_drift_and_a_fouled_cell_are_told_of(opened_model):
    model = SecModel(drift=0.02, fouling=3.0)
    outputs = run(opened_model(model))
    said = " | ".join(outputs.results["warnings"])
    assert "at its end (frames 221-240) the elution scatters" in said
    # The errors are of the counts: nothing but the doubt tells that a radius is wrong by more.
    assert all(any("at its end" in one for one in p["doubts"]) for p in outputs.results["peaks"])
    assert outputs.results["rg_doubtful"]
    assert "(doubtful)" in outputs.title
    assert "radius_of_gyration" not in outputs.quantities
    tops = [peak["top_frame"] - 1 for peak in outputs.results["peaks"]]
    assert tops == pytest.approx([one.top_frame for one in model.species], abs=2)
    # The buffer is that before the peaks, where nothing was on the walls yet.
    assert max(numbers_of(outputs.results["buffer_frames"])) < 90


@pytest.fixture(scope="module")
def interrupted():
    """A fouled cell, and a beam that came after the first frame and went before the last one."""
    return SecModel(fouling=1.5, lost=(0, 239))


def test_frames_lost_at_the_ends_are_told_of_and_hide_no_fouling(interrupted, opened_model):
    outputs = run(opened_model(interrupted))
    said = " | ".join(outputs.results["warnings"])
    assert "frames 1,240 scatter up to" in said
    assert "at its end (frames 221-239) the elution scatters" in said
    assert all(any("at its end" in one for one in p["doubts"]) for p in outputs.results["peaks"])
    assert min(numbers_of(outputs.results["buffer_frames"])) == 1


def test_a_flash_in_the_first_frame_hides_no_peak(sec_frames, sec_model, opened_model):
    frames = sec_frames.copy()
    bright = np.minimum(frames[0].astype(np.int64) * 400, 65534).astype(np.uint16)
    frames[0] = np.where(sec_model.pixel_mask == 0, bright, frames[0])
    outputs = run(opened_model(sec_model, frames))
    assert len(outputs.results["peaks"]) == 2
    assert "frames 1 scatter up to" in " | ".join(outputs.results["warnings"])


def test_single_frames_are_arranged_as_nxazint1d_demands(elution):
    outputs = run(elution(), sec_buffer="1-40", sec_peaks="106-116", normalization_factor=2.0)
    fields = {one.path: one for one in outputs.tree.arrays}
    groups = {one.path: one.attributes["NX_class"] for one in outputs.tree.groups[1:]}
    at = "/single_frames"
    for path, nx_class in (("instrument", "NXinstrument"), ("reduction", "NXprocess"),
                           ("instrument/monochromator", "NXmonochromator"),
                           ("instrument/source", "NXsource"), ("data", "NXdata"),
                           ("reduction/input", "NXparameters")):  # fmt: skip
        assert groups[f"{at}/{path}"] == nx_class
    assert fields[f"{at}/normalization_applied"].values.item() is True
    assert fields[f"{at}/solid_angle_applied"].values.item() is True
    for path in ("name", "source/name", "source/type", "source/probe", "monochromator/wavelength",
                 "monochromator/energy"):  # fmt: skip
        assert f"{at}/instrument/{path}" in fields
    for path in ("program", "version", "reference"):
        assert f"{at}/reduction/{path}" in fields
    assert fields[f"{at}/data/I"].attributes["long_name"] == "intensity"
    assert fields[f"{at}/data/radial_axis"].attributes["long_name"] == "q"


def test_a_short_buffer_is_told_of_or_refused(elution):
    outputs = run(elution(), sec_buffer="1-8", sec_peaks="106-116")
    assert any("the buffer is 8 frames, fewer than 20" in w for w in outputs.results["warnings"])
    with pytest.raises(ReductionError, match=r"no more than .* in a row are alike") as refusal:
        run(elution(), fidelity_neighbours=0.6, similarity_adjusted=False)
    assert "-p sec_buffer_least_frames=" in refusal.value.next_step


def test_no_mass_of_a_peak_comes_from_the_concentration_that_was_loaded(elution):
    outputs = run(elution(), absolute=elution(slice(0, 40)), concentration_g_per_l=5.0,
                  absolute_q_min_per_nm=0.3, absolute_q_max_per_nm=1.5)  # fmt: skip
    (peak, *_) = outputs.results["peaks"]
    assert outputs.results["peaks"][0]["intensity_unit"] == "1/cm"
    assert "mass_volume_of_correlation_kda" in peak
    assert "mass_absolute_intensity_kda" not in peak
    # Nor does a peak say that this was its concentration.
    assert not [path for path in arrays(outputs) if path.endswith("sample/concentration")]
