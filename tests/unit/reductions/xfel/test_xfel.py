"""Correction of a run: planted photons come back, modules meet by train and pulse, not by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError, RoleMissingError
from hsc.kernels import NO_PHOTONS, PixelFlag
from hsc.reductions import find_reduction
from hsc.reductions.sources import array_for
from hsc.reductions.xfel.alignment import align, recall
from hsc.reductions.xfel.modules import find_modules
from hsc.reductions.xfel.reduction import XFEL_CORRECT
from hsc.testing import AgipdModel
from hsc.workers import ThreadWorkers

MODEL = AgipdModel(shape=(64, 128))
TRAINS = (901, 902, 903, 904)


@pytest.fixture
def raw(in_memory, picture):
    """Give a run of two modules in two sequences; trains that a module lost are lost."""

    def make(lost=None, *, split=False, order=1, padding=0):
        arrays = {}
        for module in (3, 4):
            for sequence, trains in enumerate((TRAINS[:2], TRAINS[2:])):
                there = [t for t in trains if t not in (lost or {}).get(module, ())]
                end = f"_AGIPD{module:02}_S{sequence:05}"
                keys = [(t, p) for t in there for p in range(MODEL.cells)][::order]
                words = np.array([MODEL.picture(module, *key) for key in keys], np.uint16)
                words = np.concatenate(
                    [words.reshape(-1, 2, *MODEL.shape),
                     np.zeros((padding, 2, *MODEL.shape), np.uint16)]
                )  # fmt: skip
                ids = np.array([*keys, *[(0, 0)] * padding], np.uint64).reshape(-1, 2)
                arrays |= {
                    f"frames{end}": picture(words[:, 0] if split else words),
                    f"train_id{end}": picture(ids[:, :1]),
                    f"pulse_id{end}": picture(ids[:, 1:]),
                    f"cell_id{end}": picture(ids[:, 1:].astype(np.uint16)),
                }
                if split:
                    arrays[f"gain{end}"] = picture(words[:, 1:])
        whole = in_memory(np.zeros((1, 2, 2), np.uint16), **arrays)
        return whole.without("frames")

    return make


@pytest.fixture
def constants(in_memory, picture):
    def make(modules=(3, 4), **others):
        arrays = {
            f"{role}@AGIPD{module:02}": picture(values)
            for module in modules
            for role, values in MODEL.constants(module).items()
        }
        return in_memory(np.zeros((1, 2, 2), np.uint16), **{**arrays, **others})

    return make


@pytest.fixture
def run(correct):
    def make(sample, constants, parameters=None, cut=None):
        given = {"photon_adu": MODEL.photon_adu, **(parameters or {})}
        return correct(sample, constants, given, cut)

    return make


def truth(made, place, number):
    """Give the photons that were planted, and where pixels are good."""
    module, train, pulse = (
        (3, 4)[number],
        int(made["train_id"][place]),
        int(made["pulse_id"][place]),
    )
    photons = MODEL.photons(module, train, pulse)
    stage = MODEL.stages(photons)
    bad = MODEL.constants(module)["bad_pixels"][pulse]
    return photons, stage, np.take_along_axis(bad, stage[None], axis=0)[0]


@pytest.mark.parametrize("split", [False, True])
def test_planted_photons_come_back(run, raw, constants, split):
    made, results = run(raw(split=split), constants(), {"photons": True})
    assert made["data"].shape == (12, 2, 64, 128)
    for place in range(12):
        for number in range(2):
            photons, stage, bad = truth(made, place, number)
            assert np.array_equal(made["gain"][place, number], stage)
            assert np.array_equal(made["mask"][place, number], bad)
            expected = np.where(bad != 0, NO_PHOTONS, photons)
            assert np.array_equal(made["data"][place, number], expected)
            assert made["/entry/frames/bad_pixels"][place, number] == (bad != 0).sum()
    assert results["frames"] == 12
    assert results["pictures_missing"] == 0
    assert results["pixels_medium_gain"] == (made["gain"] == 1).sum() > 0
    assert made["module_name"].tolist() == ["AGIPD03", "AGIPD04"]


def test_modules_meet_by_train_and_pulse_and_what_is_missing_is_told(run, raw, constants):
    lost = {3: (902,), 4: (901, 904)}
    made, results = run(raw(lost), constants(), {"photons": True})
    assert results["lacking"] == ["AGIPD03 lacks 1 of 4 trains: 902",
                                  "AGIPD04 lacks 2 of 4 trains: 901, 904"]  # fmt: skip
    assert results["pictures_missing"] == 9
    for place, train in enumerate(made["train_id"]):
        for number, module in enumerate((3, 4)):
            if train in lost[module]:
                assert (made["data"][place, number] == NO_PHOTONS).all()
                assert (made["mask"][place, number] == PixelFlag.NO_FRAME).all()
                assert (made["gain"][place, number] == 255).all()
            else:
                photons, _, bad = truth(made, place, number)
                expected = np.where(bad != 0, NO_PHOTONS, photons)
                assert np.array_equal(made["data"][place, number], expected)


@pytest.mark.parametrize("order", ["pulse", "train"])
def test_any_cut_and_order_of_rows_gives_the_same_bytes(run, raw, constants, order):
    parameters = {"frame_order": order, "sigma": True}
    whole, _ = run(raw(), constants(), parameters)
    ids = list(zip(whole["train_id"].tolist(), whole["pulse_id"].tolist(), strict=True))
    assert ids == sorted(ids, key=lambda key: key if order == "train" else key[::-1])
    for sample, cut in ((raw(), 1), (raw(), 5), (raw(order=-1), 12), (raw(padding=3), 4)):
        made, _ = run(sample, constants(), parameters, cut)
        assert {
            name: values.tobytes() for name, values in made.items() if "row_at" not in name
        } == {name: values.tobytes() for name, values in whole.items() if "row_at" not in name}
    assert whole["data"].dtype == np.float32
    assert np.array_equal(np.isnan(whole["data"]), np.isnan(whole["data_errors"]))


def test_spreads_are_in_the_unit_of_what_they_stand_beside(run, raw, constants):
    adu, _ = run(raw(), constants(), {"sigma": True})
    photons, _ = run(raw(), constants(), {"sigma": True, "photons": True})
    expected = adu["data_errors"] / np.float32(MODEL.photon_adu)
    assert np.array_equal(photons["data_errors"], expected, equal_nan=True)


def test_pictures_that_were_never_written_are_missing(run, raw, constants, picture):
    sample = raw()
    frames = sample.arrays["frames_AGIPD04_S00001"]
    lacking = type(frames)(frames.path, frames.values, {}, (1,), (0, 4))
    _, results = run(sample.having(frames_AGIPD04_S00001=lacking), constants())
    assert results["pictures_missing"] == 2
    assert results["lacking"] == ["AGIPD04 lacks 2 pictures of other trains"]


def test_another_process_makes_the_alignment_again_and_checks_it(raw):
    modules = find_modules(raw())
    found = align(modules, "pulse")
    assert recall(found.digest, modules, "pulse").digest == found.digest
    with pytest.raises(ReductionError, match="not those"):
        recall("another", modules, "pulse")


def test_constants_that_do_not_fit_are_refused(run, raw, constants, picture):
    with pytest.raises(RoleMissingError, match="offset@AGIPD04"):
        run(raw(), constants(modules=(3,)))
    with pytest.raises(ReductionError, match="2 of the datasets"):
        run(raw(), (constants(), constants((3,))))
    offset = MODEL.constants(3)["offset"]
    two_stages = constants(**{"offset@AGIPD03": picture(offset[:, :2])})
    with pytest.raises(ReductionError, match="constants of shape"):
        run(raw(), two_stages)
    turned = constants(**{"offset@AGIPD03": picture(offset.transpose(3, 2, 0, 1))})
    with pytest.raises(ReductionError) as refused:
        run(raw(), turned)
    assert "(columns, rows, cells, gains)" in refused.value.next_step
    assert "(2, 3, 1, 0)" in refused.value.next_step
    two_cells = constants(**{"offset@AGIPD03": picture(offset[:2])})
    with pytest.raises(ReductionError, match="2 memory cells"):
        run(raw(), two_cells)
    without_noise = constants().without("noise@AGIPD03")
    with pytest.raises(RoleMissingError, match="noise"):
        run(raw(), without_noise, {"sigma": True})


def test_pictures_that_do_not_fit_are_refused(run, raw, constants, picture):
    with pytest.raises(ParameterError, match="photon_adu"):
        XFEL_CORRECT.run({"sample": raw(), "constants": constants()}, {}, ThreadWorkers(1))
    sample = raw()
    with pytest.raises(RoleMissingError, match="cell_id"):
        run(sample.without("cell_id_AGIPD03_S00000"), constants())
    ids = np.full_like(sample.arrays["pulse_id_AGIPD03_S00000"].values, 1)
    twice = sample.having(pulse_id_AGIPD03_S00000=picture(ids))
    with pytest.raises(ReductionError, match="several pictures of one pulse"):
        run(twice, constants())
    others = {role.replace("AGIPD", "LPD"): array for role, array in sample.arrays.items()}
    with pytest.raises(ReductionError, match="LPD03, LPD04"):
        run(type(sample)(sample.record, others), constants())
    words = picture(np.zeros((6, 1, *MODEL.shape), np.uint16))
    single = sample.having(frames_AGIPD03_S00000=words)
    with pytest.raises(ReductionError, match="2 for each pixel"):
        run(single, constants())


def test_it_stands_in_the_table():
    assert find_reduction("xfel_correct") is XFEL_CORRECT


def test_cameras_and_other_detectors_of_a_run_are_left_out_and_named(run, raw, constants, picture):
    alone, _ = run(raw(), constants())
    beside = raw().having(
        frames_DA01_S00000=picture(np.zeros((4, 6, 8), np.uint16)),
        frames_JNGFR01_S00000=picture(np.zeros((4, 16, 8, 8), np.uint16)),
        train_id_JNGFR01_S00000=picture(np.array(TRAINS, np.uint64)),
    )
    made, results = run(beside, constants())
    assert results["left_out"] == ["DA01", "JNGFR01"]
    assert np.array_equal(made["data"], alone["data"], equal_nan=True)
    with pytest.raises(RoleMissingError, match=r"(?s)'offset@AGIPD03'.*of JNGFR07"):
        run(raw(), constants((), **{"offset@JNGFR07": picture(np.zeros((1, 3, 1, 1)))}))


def test_constants_that_would_be_misread_are_refused(run, raw, constants, picture):
    known = MODEL.constants(3)
    for dtype in ("f4", "u8"):
        bad = {"bad_pixels@AGIPD03": picture(known["bad_pixels"].astype(dtype))}
        with pytest.raises(ReductionError, match=f"bad_pixels of type {np.dtype(dtype)}"):
            run(raw(), constants(**bad))
    few = constants(**{"noise@AGIPD03": picture(known["noise"][:1])})
    with pytest.raises(ReductionError, match="of 1 memory cells"):
        run(raw(), few, {"sigma": True})
    run(raw(), few)


def test_one_module_of_one_file_takes_the_constants_of_its_name(run, raw, constants, picture):
    ends = "_AGIPD03_S00000"
    alone = {
        role.removesuffix(ends): raw().role(role) for role in raw().roles if role.endswith(ends)
    }
    blank = raw().without(*(role for role in raw().roles if "_AGIPD" in role))
    known, _ = run(raw({3: TRAINS[2:], 4: TRAINS}), constants())
    # As a run of one file has it: the role has no end, and the path the file's name.
    path = "/RAW-R0012-AGIPD03-S00000.h5/INSTRUMENT/SPB_DET_AGIPD1M-1/DET/3CH0:xtdf/image/data"
    named = {**alone, "frames": replace(alone["frames"], path=path)}
    for sample, of in ((blank.having(**named), (3, 4)), (blank.having(**alone), (3,))):
        made, _ = run(sample, constants(of))
        assert np.array_equal(made["data"][:, 0], known["data"][:, 0], equal_nan=True)
    with pytest.raises(RoleMissingError, match=r"(?s)offset@module.*AGIPD03, AGIPD04"):
        run(blank.having(**alone), constants())


def test_an_uncorrected_run_given_for_its_frames_is_to_be_corrected_first(in_memory):
    run = in_memory(np.ones((2, 8, 8), np.uint16)).without("frames")
    with pytest.raises(RoleMissingError, match=r"roles of this one are: .*x_pixel_size"):
        array_for(run, "frames", "is added up")
    raw = replace(run, record=run.record.model_copy(update={"layout": "exfel"}))
    with pytest.raises(RoleMissingError, match="hsc reduce xfel_correct"):
        array_for(raw, "frames", "is added up")
