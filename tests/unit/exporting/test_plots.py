"""Pictures: their size, what they show of bad pixels, and the same bytes each time."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread

from hsc.errors import ObjectExistsError
from hsc.exporting import PlottedCurve, PlottedGuinier, plot_curves, plot_frame, plot_guinier

Q = np.linspace(0.05, 3.0, 300)


def curves():
    rng = np.random.default_rng(0)
    sphere = 100 * (3 * (np.sin(3 * Q) - 3 * Q * np.cos(3 * Q)) / (3 * Q) ** 3) ** 2
    error = np.sqrt(sphere + 0.2) / 10
    buffer = np.full_like(Q, 0.6) + rng.normal(0, 0.03, len(Q))
    return [
        PlottedCurve("sample", Q, sphere + 0.6 + error * rng.standard_normal(len(Q)), error),
        PlottedCurve("buffer", Q, buffer, np.full_like(Q, 0.03)),
        PlottedCurve("subtracted", Q, sphere + error * rng.standard_normal(len(Q)), error),
    ]


def guinier():
    x = np.linspace(0.0025, 0.3, 40)
    error = np.full(40, 0.02)
    line = 4.6 - 1.8 * x
    return PlottedGuinier(
        x,
        line + error * np.random.default_rng(1).standard_normal(40),
        error,
        line,
        rg_nm=2.324,
        rg_error_nm=0.012,
        qrg_max=1.27,
    )


def frame(shape=(400, 380)):
    y, x = np.indices(shape)
    r = np.hypot(y - shape[0] * 0.5, x - shape[1] * 0.4)
    return np.random.default_rng(2).poisson(3000 / (1 + (r / 30) ** 3)).astype(np.uint16)


def test_curves_are_drawn_900_pixels_wide(tmp_path):
    plot_curves(tmp_path / "curves.png", curves(), title="lysozyme, 5 mg/ml")
    assert imread(tmp_path / "curves.png").shape == (600, 900, 4)


def test_a_guinier_fit_is_drawn_900_pixels_wide(tmp_path):
    plot_guinier(tmp_path / "guinier.png", guinier(), title="Guinier fit")
    assert imread(tmp_path / "guinier.png").shape == (700, 900, 4)


@pytest.mark.parametrize("shape", [(400, 380), (2000, 1900), (195, 1475), (1475, 195), (1, 1)])
def test_frames_of_any_shape_are_drawn_900_pixels_wide(tmp_path, shape):
    plot_frame(tmp_path / "frame.png", frame(shape), title="frame 1")
    assert imread(tmp_path / "frame.png").shape[1] == 900


def grey_share(path):
    picture = np.round(imread(path)[..., :3] * 255)
    return (picture == (0x9A, 0xA0, 0xA6)).all(axis=-1).mean()


def test_masked_pixels_are_grey_and_others_are_not(tmp_path):
    mask = np.zeros((400, 380), dtype=np.uint32)
    plot_frame(tmp_path / "whole.png", frame(), title="frame 1", mask=mask)
    mask[100:200] = 1
    plot_frame(tmp_path / "masked.png", frame(), title="frame 1", mask=mask)
    assert grey_share(tmp_path / "whole.png") < 0.002  # edges of letters
    assert grey_share(tmp_path / "masked.png") > 0.08


def test_a_pixel_without_counts_is_black_and_not_grey(tmp_path):
    counts = np.zeros((100, 100))
    counts[:10] = 50
    plot_frame(tmp_path / "f.png", counts, title="t")
    black = (imread(tmp_path / "f.png")[..., :3] == 0).all(axis=-1).mean()
    assert black > 0.4
    assert grey_share(tmp_path / "f.png") < 0.002


def test_a_frame_without_a_good_pixel_is_still_drawn(tmp_path):
    plot_frame(tmp_path / "f.png", np.zeros((50, 50)), title="t", mask=np.ones((50, 50)))
    assert grey_share(tmp_path / "f.png") > 0.3


def test_means_over_blocks_take_good_pixels_only(tmp_path):
    counts = np.full((1900, 1900), 10.0)
    bad = np.zeros(counts.shape)
    counts[::2], bad[::2] = 65535, 1
    counts[0, 0], bad[0, 0] = 10, 0
    plot_frame(tmp_path / "a.png", counts, title="t", mask=bad)
    plot_frame(tmp_path / "b.png", np.full((1900, 1900), 10.0), title="t")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_same_picture_gives_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        plot_curves(tmp_path / name, curves(), title="t")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_picture_that_is_there_is_kept_unless_told(tmp_path):
    plot_guinier(tmp_path / "a.png", guinier(), title="t")
    with pytest.raises(ObjectExistsError):
        plot_guinier(tmp_path / "a.png", guinier(), title="t")
    plot_guinier(tmp_path / "a.png", guinier(), title="t", overwrite=True)
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]
