"""The mock solution scatters as spheres do, and its files carry the truth within their noise."""

from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  (registers the filters)
import numpy as np
import pytest
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from hsc.errors import ParameterError
from hsc.testing import (
    BioSaxsModel,
    Detector,
    PixelMaskBit,
    sphere_form_factor,
    write_biosaxs_pair,
)

MODEL = BioSaxsModel()
SMALL = BioSaxsModel(
    detector=Detector(shape=(120, 100), module_shape=(56, 100), gap_shape=(8, 10)),
    beam_center_px=(40.3, 35.6),
    beamstop_radius_px=5.0,
    beamstop_arm_px=3.0,
    dead_pixels=7,
    hot_pixels=4,
)


def test_the_form_factor_is_the_integral_over_the_ball() -> None:
    q = np.geomspace(1e-3, 4, 60)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    r = 3.2 * (nodes + 1) / 2
    # F(q) = integral of r^2 sin(qr)/(qr) dr over that of r^2 dr.
    wave = np.sinc(np.outer(q, r) / np.pi)
    amplitude = (wave * r**2) @ weights / (r**2 @ weights)
    np.testing.assert_allclose(sphere_form_factor(q, 3.2), amplitude**2, rtol=1e-9, atol=1e-15)


def test_the_form_factor_agrees_with_debyes_sum_over_points() -> None:
    axis = np.linspace(-1, 1, 15)
    points = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    points = points[np.linalg.norm(points, axis=1) <= 1]
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    rg = np.sqrt((points**2).sum(axis=1).mean())
    # A lattice's ball is a little larger or smaller than the one that cuts it: same Rg, same curve.
    radius = rg / np.sqrt(3 / 5)
    for q in (0.3, 1.0, 1.7):
        debye = np.sinc(q * distances / np.pi).mean()
        assert sphere_form_factor(np.array(q), radius) == pytest.approx(debye, rel=3e-3)


def test_series_and_closed_form_meet() -> None:
    x = np.array([0.05 - 1e-12, 0.05 + 1e-12])
    below, above = sphere_form_factor(x, 1.0)
    assert below == pytest.approx(above, rel=1e-11)
    assert sphere_form_factor(np.array(0.0), 3.0) == 1.0


def test_the_radius_of_gyration_is_that_of_the_ball_and_of_the_curve() -> None:
    r = (np.arange(100_000) + 0.5) / 100_000 * MODEL.radius_nm
    assert MODEL.rg_nm == pytest.approx(np.sqrt((r**4).sum() / (r**2).sum()), rel=1e-8)
    s = np.array([0.2, 0.3])
    log = np.log(sphere_form_factor(s / MODEL.rg_nm, MODEL.radius_nm))
    # ln P = -s^2/3 - s^4/126 - O(s^6): the docstring's bias of a straight line.
    np.testing.assert_allclose((log + s**2 / 3) / s**4, -1 / 126, rtol=2e-2)


def test_angles_and_solid_angles_are_pyfais() -> None:
    pixel = MODEL.detector.pixel_size_m
    column, row = MODEL.beam_center_px
    integrator = AzimuthalIntegrator(
        dist=MODEL.distance_m,
        poni1=row * pixel,
        poni2=column * pixel,
        pixel1=pixel,
        pixel2=pixel,
        wavelength=MODEL.wavelength_nm * 1e-9,
    )
    shape = MODEL.detector.shape
    # pyFAI keeps positions in single precision; half a pixel would be 1e-3 1/nm.
    np.testing.assert_allclose(MODEL.q_per_nm(), integrator.qArray(shape), rtol=1e-6, atol=1e-6)
    solid = integrator.solidAngleArray(shape, absolute=False)
    np.testing.assert_allclose(np.cos(MODEL.two_theta()) ** 3, solid, rtol=1e-6)


def test_the_default_detector_covers_the_guinier_region_and_more() -> None:
    q = MODEL.q_per_nm()[MODEL.pixel_mask() == 0]
    assert q.min() * MODEL.rg_nm < 0.15
    assert 1.9 < q.max() < 2.2
    inside = (q * MODEL.rg_nm < 1).sum()
    assert inside > 100_000


def test_the_sample_is_the_buffer_and_the_spheres() -> None:
    good = MODEL.pixel_mask() == 0
    difference = (MODEL.sample_expectation() - MODEL.buffer_expectation())[good]
    spheres = MODEL.forward_counts * sphere_form_factor(MODEL.q_per_nm()[good], MODEL.radius_nm)
    solid = np.cos(MODEL.two_theta()[good]) ** 3
    np.testing.assert_allclose(difference, spheres * solid, rtol=1e-9, atol=1e-12)
    background = MODEL.buffer_expectation()[good]
    assert background.max() <= MODEL.buffer_counts + MODEL.parasitic_counts
    assert background.min() == pytest.approx(MODEL.buffer_counts, rel=3e-3)


@pytest.mark.parametrize("model", [MODEL, SMALL], ids=["eiger-1m", "small"])
def test_mask_and_frames_tell_the_same(model: BioSaxsModel) -> None:
    mask = model.pixel_mask()
    frame = model.frames("sample", "u2", seed=4)(0)
    assert (mask == PixelMaskBit.DEAD).sum() == model.dead_pixels
    assert (mask == PixelMaskBit.NOISY).sum() == model.hot_pixels
    assert (((mask & PixelMaskBit.GAP) != 0) == model.detector.gaps()).all()
    absent = (mask & np.uint32(PixelMaskBit.GAP | PixelMaskBit.DEAD)) != 0
    assert ((frame == 65535) == absent).all()
    assert (frame[mask == PixelMaskBit.NOISY] > model.hot_counts / 2).all()
    assert frame[mask == PixelMaskBit.USER].mean() < 0.5
    assert frame[mask == 0].max() < 100
    column, row = model.beam_center_px
    assert mask[int(row), int(column)] & PixelMaskBit.USER
    assert mask[int(row), 0] & PixelMaskBit.USER


def test_frames_are_of_buffer_or_of_sample() -> None:
    with pytest.raises(ParameterError, match="water"):
        SMALL.frames("water")


def test_more_flaws_than_pixels_are_refused() -> None:
    with pytest.raises(ParameterError, match="see light"):
        BioSaxsModel(detector=Detector(shape=(8, 8)), dead_pixels=65).pixel_mask()


def test_lengths_are_positive() -> None:
    with pytest.raises(ParameterError):
        BioSaxsModel(radius_nm=0)


def test_the_two_runs_share_the_detector_and_not_the_noise(tmp_path: Path) -> None:
    pair = write_biosaxs_pair(
        tmp_path, SMALL, frames=5, frames_per_file=2, seed=1, proposal="P-1", instrument="P12"
    )
    assert pair.buffer == tmp_path / "buffer" / "buffer_master.h5"
    with h5py.File(pair.buffer) as buffer, h5py.File(pair.sample) as sample:
        mask = "entry/instrument/detector/detectorSpecific/pixel_mask"
        np.testing.assert_array_equal(buffer[mask][()], SMALL.pixel_mask())
        np.testing.assert_array_equal(buffer[mask][()], sample[mask][()])
        for file in (buffer, sample):
            assert file["entry/experiment_identifier"][()] == b"P-1"
            assert file["entry/instrument/name"][()] == b"P12"
            assert len(file["entry/data"]) == 3
        assert sample["entry/sample/name"][()] != buffer["entry/sample/name"][()]
        one, other = (file["entry/data/data_000001"][0] for file in (buffer, sample))
        far = (SMALL.pixel_mask() == 0) & (SMALL.radius_px() > 60)
        assert (one[far] != other[far]).any()


def test_the_files_alone_give_the_radius_of_gyration(tmp_path: Path) -> None:
    pair = write_biosaxs_pair(tmp_path, frames=10, seed=7)
    q, buffer, buffer_error = curve(pair.buffer)
    _, sample, sample_error = curve(pair.sample)
    found, error = guinier(q, sample - buffer, np.hypot(sample_error, buffer_error))
    without_noise, _ = guinier(
        q, sphere_form_factor(q, MODEL.radius_nm), np.hypot(sample_error, buffer_error) / 15
    )
    assert error / MODEL.rg_nm < 0.003
    assert abs(found - without_noise) < 4 * error
    # The straight line's own bias up to q Rg = 1, as the model's notes say.
    assert without_noise / MODEL.rg_nm == pytest.approx(1.012, abs=0.001)


def curve(master: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average a run around its beam with what its files say: q in 1/nm, I and its error."""
    with h5py.File(master) as file:
        detector = file["entry/instrument/detector"]
        good = detector["detectorSpecific/pixel_mask"][()] == 0
        total = sum(stack[()].sum(axis=0, dtype=np.int64) for stack in file["entry/data"].values())
        frames = int(detector["detectorSpecific/nimages"][()])
        wavelength_nm = file["entry/instrument/beam/incident_wavelength"][()] / 10
        rows, columns = np.indices(good.shape) + 0.5
        lateral_px = np.hypot(
            columns - detector["beam_center_x"][()], rows - detector["beam_center_y"][()]
        )
        angle = np.arctan(
            lateral_px * detector["x_pixel_size"][()] / detector["detector_distance"][()]
        )
    q = (4 * np.pi / wavelength_nm * np.sin(angle / 2))[good]
    bins = (q / 0.004).astype(int)
    counts = np.bincount(bins, total[good])
    norm = frames * np.bincount(bins, np.cos(angle[good]) ** 3)
    used = (norm > 0) & (counts > 0)
    mean_q = np.bincount(bins, q)[used] / np.bincount(bins)[used]
    return mean_q, counts[used] / norm[used], np.sqrt(counts[used]) / norm[used]


def guinier(q: np.ndarray, intensity: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    """Fit ln I = ln I0 - Rg^2 q^2 / 3 up to q Rg = 1: Rg in nm and its error."""
    used = q * MODEL.rg_nm < 1
    weights = intensity[used] / error[used]
    (slope, _), covariance = np.polyfit(
        q[used] ** 2, np.log(intensity[used]), 1, w=weights, cov="unscaled"
    )
    rg = np.sqrt(-3 * slope)
    return rg, 1.5 / rg * np.sqrt(covariance[0, 0])
