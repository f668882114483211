"""What of the beam reached and passed the sample, and how much particle it met there."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.model import Quantity
from hsc.reductions.biosaxs.concentration import find_concentration
from hsc.reductions.biosaxs.reduction import BIOSAXS
from hsc.reductions.biosaxs.runs import check_exposures
from hsc.workers import ThreadWorkers

PARAMETERS = {"bins": 120, "pr": False, "report": False}


def run(sample, buffer, **parameters):
    inputs = {"sample": sample, "buffer": buffer}
    return BIOSAXS.run(inputs, {**PARAMETERS, **parameters}, ThreadWorkers(2))


def curve(outputs, entry="entry"):
    return {
        name: next(one.values for one in outputs.tree.arrays if one.path == f"/{entry}/data/{name}")
        for name in ("I", "Idev")
    }


def thinned(dataset, shares, seed=3):
    """Let only a share of each frame's photons pass."""
    array = dataset.role("frames")
    rng = np.random.default_rng(seed)
    kept = rng.binomial(array.values, np.reshape(shares, (-1, 1, 1))).astype(array.dtype)
    return dataset.having(frames=type(array)(array.path, kept, array.attributes, array.chunks))


def of_record(dataset, **quantities):
    record = dataset.record.model_copy(update={"quantities": quantities})
    return type(dataset)(record, dataset.arrays)


def test_intensities_are_divided_by_the_transmission_of_each_dataset(scattering, scalar_array):
    sample, buffer = scattering()
    plain = run(sample, buffer)
    weak = thinned(sample, 0.5).having(transmission=scalar_array("transmission", 50.0, "%"))
    corrected = run(weak, buffer, buffer_transmission=1.0)
    before, after = curve(plain), curve(corrected)
    assert np.median(np.abs(after["I"] - before["I"]) / after["Idev"]) < 1.5
    # Half the photons: the sample's error grows by the root of two, and none is hidden.
    grown = curve(corrected, "entry_sample")["Idev"] / curve(plain, "entry_sample")["Idev"]
    assert np.median(grown) == pytest.approx(np.sqrt(2), rel=0.03)
    assert corrected.results["rg_nm"] == pytest.approx(plain.results["rg_nm"], rel=0.02)
    steps = {one.path: one.values for one in corrected.tree.arrays}
    assert steps["/entry/03_average/sample_transmission"] == 0.5


def test_a_transmission_is_exactly_a_factor_and_can_be_left_out(scattering):
    sample, buffer = scattering()
    plain = curve(run(sample, buffer))["I"]
    half = run(sample, buffer, sample_transmission=0.5, buffer_transmission=0.5)
    assert np.array_equal(curve(half)["I"], 2 * plain)
    told = [of_record(one, transmission=Quantity(value=0.5, unit="1")) for one in (sample, buffer)]
    assert np.array_equal(curve(run(*told))["I"], 2 * plain)
    assert np.array_equal(curve(run(*told, transmission=False))["I"], plain)


def test_monitor_and_transmission_of_each_frame_are_both_divided_by(scattering, scalar_array):
    sample, buffer = scattering()
    plain = curve(run(sample.without("count_time"), buffer.without("count_time")))
    beam = np.array([1.0, 0.8, 0.6, 0.9, 1.0, 0.7, 0.8, 1.0])
    passed = np.array([0.9, 0.9, 0.8, 0.8, 0.7, 0.7, 0.9, 0.9])
    seen = thinned(sample, beam * passed).having(
        monitor=scalar_array("monitor", beam), transmission=scalar_array("transmission", passed)
    )
    ones = scalar_array("monitor", np.ones(8))
    outputs = run(seen, buffer.having(monitor=ones), monitor=True, buffer_transmission=1.0)
    got = curve(outputs)
    assert np.median(np.abs(got["I"] - plain["I"]) / got["Idev"]) < 1.5
    assert outputs.results["sample_frames"] == 8


def test_a_transmission_that_is_known_of_one_only_or_impossible_is_refused(
    scattering, scalar_array
):
    sample, buffer = scattering()
    with pytest.raises(ParameterError, match="of the buffer is unknown, that of the sample") as no:
        run(sample, buffer, sample_transmission=0.8)
    assert "-p buffer_transmission=" in no.value.next_step
    for value, unit, words in ((87.0, "1", "is 87"), (0.0, "", "is 0"), (0.5, "mm", "in 'mm'")):
        wrong = sample.having(transmission=scalar_array("transmission", value, unit))
        with pytest.raises(ParameterError, match=words):
            run(wrong, buffer, buffer_transmission=0.8)
    wrong = sample.having(transmission=scalar_array("transmission", "not measured"))
    with pytest.raises(ParameterError, match="is not measured, which is no number"):
        run(wrong, buffer, buffer_transmission=0.8)
    wrong = sample.having(transmission=scalar_array("transmission", np.full(5, 0.8)))
    with pytest.raises(ReductionError, match="5 transmissions for 8 frames"):
        run(wrong, buffer, buffer_transmission=0.8)


def test_a_concentration_is_taken_from_the_dataset_with_its_unit(scattering, scalar_array):
    sample, _ = scattering()
    by_array = sample.having(concentration=scalar_array("concentration", 4.2, "mg/mL"))
    by_record = of_record(sample, concentration=Quantity(value=4200.0, unit="mg/L"))
    for dataset in (by_array, by_record):
        assert find_concentration([dataset], None).g_per_l == pytest.approx(4.2)
    assert find_concentration([by_array], 1.5).g_per_l == 1.5
    assert find_concentration([sample], None).g_per_l is None


def test_a_concentration_that_gives_no_mass_is_told_of_and_unequal_ones_are_refused(
    scattering, scalar_array
):
    sample, buffer = scattering()
    molar = sample.having(concentration=scalar_array("concentration", 50.0, "uM"))
    warnings = run(molar, buffer).results["warnings"]
    assert any("50 uM" in one and "-p concentration_g_per_l" in one for one in warnings)
    two, four = (
        sample.having(concentration=scalar_array("concentration", value, "g/L"))
        for value in (2.0, 4.0)
    )
    with pytest.raises(ParameterError, match="samples of 2, 4 g/L"):
        find_concentration([two, four], None)


def test_a_buffer_of_another_wavelength_is_refused(scattering, scalar_array):
    sample, buffer = scattering()
    other = buffer.having(wavelength=scalar_array("wavelength", 1.2))
    with pytest.raises(ParameterError, match=r"wavelength is 1\.2 angstrom, that of the first"):
        run(sample, other)


def test_what_is_not_known_of_the_beam_or_not_used_is_told(scattering, scalar_array):
    sample, buffer = scattering()
    assert run(sample, buffer, vc_q_max_per_nm=0.8).results["warnings"] == []
    blind = run(sample.without("count_time"), buffer.without("count_time")).results["warnings"]
    assert any("all frames are taken for equally exposed" in one for one in blind)
    seen = [one.having(monitor=scalar_array("monitor", np.ones(8))) for one in (sample, buffer)]
    assert any("-p monitor=true" in one for one in run(*seen).results["warnings"])
    used = run(*seen, monitor=True).results["warnings"]
    assert not any("monitor" in one for one in used)


def test_an_exposure_of_the_empty_cell_is_asked_for_by_the_parameter_that_there_is():
    with pytest.raises(ParameterError, match="of the absolute_empty frames is unknown") as no:
        check_exposures([("sample", "a", 0.5), ("absolute_empty", "b", None)])
    assert "-p absolute_count_time_s=" in no.value.next_step


def test_a_specific_volume_in_another_unit_is_refused():
    with pytest.raises(ParameterError, match="partial_specific_volume_cm3_per_g"):
        BIOSAXS.parse({"partial_specific_volume_cm3_per_g": 742.5})


def test_the_detector_is_described_in_the_terms_of_nxcansas(scattering):
    said = {one.path: one for one in run(*scattering()).tree.arrays}
    at = "/entry/instrument"
    for axis, pixels in (("x", 200 * 0.11), ("y", 220 * 0.52)):
        centre = said[f"{at}/detector/beam_center_{axis}"]  # "a length, not a pixel position"
        assert centre.values.item() == pytest.approx(pixels * 172e-6)
        assert centre.attributes["units"] == "m"
    assert said[f"{at}/source/radiation"].values.item() == "x-ray"
