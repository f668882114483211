"""Correction of JUNGFRAU: two bits tell the gain, several pictures stand in a row, keV come out."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import NO_PHOTONS, PixelFlag

SHAPE = (32, 48)
TRAINS, CELLS = np.array([501, 502, 0], np.uint64), 4
PHOTON_KEV = 9.0
# Units per keV of the three gains; -1.5 and 0.5 of 9 keV are whole numbers.
GAINS = np.array([40.0, -1.0, 0.5], np.float32)[:, None, None]


@pytest.fixture
def run_of(in_memory, picture):
    """Give a run, its constants, and the photons in it: (trains, pulses, rows, columns)."""

    def make(*, apart):
        rng = np.random.default_rng(5)
        shape = (len(TRAINS), CELLS, *SHAPE)
        photons = rng.choice([0, 0, 0, 1, 4, 10], shape)
        bits = np.select([photons >= 10, photons >= 4], [3, 1], 0)
        bits[0, 0, 0, 0] = 2
        stage = np.where(bits == 3, 2, np.where(bits == 2, 2, bits))
        cells = rng.permuted(np.tile(np.arange(CELLS), (len(TRAINS), 1)), axis=1)
        offset = rng.integers(2000, 9000, (CELLS, 3, *SHAPE)).astype(np.float32)
        here = offset[cells]
        dark = np.take_along_axis(here, stage[:, :, None], axis=2)[:, :, 0]
        worth = GAINS[:, 0, 0][stage]
        words = np.rint(dark + photons * PHOTON_KEV * worth).astype(np.uint16)
        assert words.max() < 2**14
        arrays = {
            "frames_JNGFR01_S00000": picture(words),
            "train_id_JNGFR01_S00000": picture(TRAINS),
            "cell_id_JNGFR01_S00000": picture(cells.astype(np.uint8)),
        }
        if not apart:
            arrays["frames_JNGFR01_S00000"] = picture((words | bits << 14).astype(np.uint16))
        else:
            arrays["gain_JNGFR01_S00000"] = picture(bits.astype(np.uint8))
        blank = in_memory(np.zeros((1, 2, 2), np.uint16), **arrays).without("frames")
        constants = in_memory(np.zeros((1, 2, 2), np.uint16), **{
            "offset@JNGFR01": picture(offset),
            "adu_per_kev@JNGFR01": picture(np.broadcast_to(GAINS, offset.shape).copy()),
        })  # fmt: skip
        return blank, constants, (photons, stage, bits, cells)

    return make


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("order", ["pulse", "train"])
def test_planted_photons_come_back_in_kev(correct, run_of, apart, order):
    sample, constants, (photons, stage, bits, cells) = run_of(apart=apart)
    given = {"photon_kev": PHOTON_KEV, "common_mode": False, "frame_order": order}
    made, results = correct(sample, constants, given, 3)
    assert results["frames"] == 2 * CELLS
    for place, (train, pulse) in enumerate(zip(made["train_id"], made["pulse_id"], strict=True)):
        at = (TRAINS.tolist().index(train), int(pulse))
        wrong = bits[at] == 2
        assert made["cell_id"][place] == cells[at]
        assert np.array_equal(made["gain"][place, 0], stage[at])
        assert np.array_equal(made["mask"][place, 0], wrong * PixelFlag.WRONG_GAIN_VALUE)
        expected = np.where(wrong, np.nan, photons[at] * PHOTON_KEV)
        assert np.array_equal(made["data"][place, 0], expected.astype("f4"), equal_nan=True)
    counted, _ = correct(sample, constants, {**given, "photons": True})
    expected = np.nan_to_num(made["data"] / PHOTON_KEV, nan=NO_PHOTONS)
    assert np.array_equal(counted["data"], expected)


def test_what_does_not_fit_is_refused_by_name(correct, run_of, picture):
    sample, constants, _ = run_of(apart=True)
    given = {"photon_kev": PHOTON_KEV}
    with pytest.raises(ParameterError, match="photon_adu is given"):
        correct(sample, constants, {"photon_adu": 3.0})
    with pytest.raises(ParameterError, match="photon_kev"):
        correct(sample, constants, {})
    both = constants.having(**{"thresholds@JNGFR01": picture(np.zeros((CELLS, 2, *SHAPE)))})
    with pytest.raises(ReductionError, match="of AGIPD, and with units per keV"):
        correct(sample, both, given)
    few = sample.having(cell_id_JNGFR01_S00000=picture(np.zeros((3, 2), np.uint8)))
    with pytest.raises(ReductionError, match="has the shape"):
        correct(few, constants, given)
    corrected = sample.having(frames_JNGFR01_S00000=picture(np.zeros((3, CELLS, *SHAPE), "f4")))
    with pytest.raises(ReductionError, match="unsigned words"):
        correct(corrected, constants, given)


def test_single_pictures_in_the_last_cell_take_the_constants_of_the_only_one(
    correct, run_of, picture
):
    sample, constants, _ = run_of(apart=False)
    end = "_JNGFR01_S00000"
    words, shape = sample.role(f"frames{end}").read()[:, :1], (3, 1)
    given = {"photon_kev": PHOTON_KEV}

    def run_in(cells, cut):
        one = sample.having(**{f"frames{end}": picture(words), f"cell_id{end}": picture(cells)})
        first = {role: picture(constants.role(role).read()[:cut]) for role in constants.roles
                 if role.endswith("@JNGFR01")}  # fmt: skip
        return correct(one, constants.having(**first), given)[0]["data"]

    last = run_in(np.full(shape, 15, np.uint8), 1)
    assert np.array_equal(last, run_in(np.zeros(shape, np.uint8), 2), equal_nan=True)
    with pytest.raises(ReductionError, match="of 2 memory cells"):
        run_in(np.full(shape, 15, np.uint8), 2)
    with pytest.raises(ReductionError, match="of 1 memory cells"):
        run_in(np.array([[15], [14], [15]], np.uint8), 1)
