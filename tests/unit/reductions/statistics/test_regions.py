"""Regions of interest: their pixels against the definition, wrong ones named."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.path import Path

from hsc.errors import ParameterError
from hsc.reductions.statistics.regions import parse_regions, region_pixels

FRAME = (60, 50)
Y, X = np.indices(FRAME) + 0.5


def pixels_of(text):
    (region,) = parse_regions(text, FRAME)
    inside = np.zeros(FRAME, bool)
    inside.reshape(-1)[region.pixels(FRAME)] = True
    return inside


def test_rings_and_circles_hold_pixels_by_their_middles():
    r = np.hypot(Y - 31.2, X - 11.7)
    assert np.array_equal(pixels_of("a=ring(31.2,11.7, 8.3,20)"), (r >= 8.3) & (r < 20))
    assert np.array_equal(pixels_of("a=circle(31.2, 11.7, 20)"), r < 20)


@pytest.mark.parametrize("corners", [
    "3.1,4.2 10,45 55.5,20.3", "5,5 5,45 50,45 50,30 20,30 20,5", "10,10 50,40 50,10 10,40",
])  # fmt: skip
def test_polygons_are_matplotlibs(corners):
    points = [tuple(float(n) for n in one.split(",")) for one in corners.split()]
    path, middles = Path([(x, y) for y, x in points]), np.c_[X.ravel(), Y.ravel()]
    wider, narrower = (path.contains_points(middles, radius=each) for each in (0.05, -0.05))
    sure = wider == narrower  # matplotlib rounds what is on an edge
    assert sure.mean() > 0.97
    assert np.array_equal(pixels_of(f"a=polygon({corners})").ravel()[sure], wider[sure])


def test_bands_hold_what_whole_frames_do():
    regions = parse_regions("a=ring(30,20, 3,15); b=40:60,0:50; c=polygon(0,0 0,50 60,0)", FRAME)
    whole, starts = region_pixels(regions, FRAME, (0, 60))
    parts = [region_pixels(regions, FRAME, band) for band in ((0, 23), (23, 60))]
    for number in range(3):
        joined = [
            pixels[begin[number] : begin[number + 1]] + low * 50
            for (pixels, begin), low in zip(parts, (0, 23), strict=True)
        ]
        assert np.array_equal(np.concatenate(joined), whole[starts[number] : starts[number + 1]])


@pytest.mark.parametrize(("text", "said"), [
    ("a=star(1,2)", "'star' is no shape"), ("a=ring(1,2,3)", "3 numbers; a ring has"),
    ("a=circle(1,2,0)", "radii"), ("a=ring(5,5,4,3)", "radii"), ("a=circle(1,2,x)", "no numbers"),
    ("a=polygon(1,1 2,2)", "three corners"), ("a=polygon(0,0 0,70 5,5)", "not within 60 rows"),
    ("a=circle(-90,5,3)", "holds no pixel"), ("a=circle(nan,5,3)", "not finite"),
    ("a=ring(5,5,1,2;b=0:1,0:1", "no region of a shape"), ("ring(5,5,1,2)", "no region"),
    ("a=10:0,0:5", "empty"),
])  # fmt: skip
def test_what_is_no_region_is_named(text, said):
    with pytest.raises(ParameterError, match=said) as error:
        parse_regions(text, FRAME)
    assert "-p 'regions=" in str(error.value.next_step)
