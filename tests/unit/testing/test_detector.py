"""The geometry of mock detectors."""

import pytest

from hsc.testing import Detector, PixelMaskBit


@pytest.mark.parametrize(
    ("shape", "modules"), [((1065, 1030), 2), ((2167, 2070), 8), ((3269, 3110), 18)]
)
def test_an_eiger_has_whole_modules_between_its_gaps(shape: tuple[int, int], modules: int) -> None:
    gaps = Detector(shape=shape).gaps()
    assert gaps.shape == shape
    assert (~gaps).sum() == modules * 514 * 1030


def test_the_gap_of_the_1m_lies_between_its_two_modules() -> None:
    gaps = Detector().gaps()
    assert not gaps[513].any()
    assert gaps[514:551].all()
    assert not gaps[551].any()


def test_the_flawless_mask_has_bit_zero_in_the_gaps_and_nowhere_else() -> None:
    detector = Detector(shape=(20, 30), module_shape=(8, 14), gap_shape=(4, 2))
    mask = detector.gap_mask()
    assert mask.dtype == "u4"
    assert ((mask == PixelMaskBit.GAP) == detector.gaps()).all()
    assert set(mask.ravel().tolist()) == {0, 1}
