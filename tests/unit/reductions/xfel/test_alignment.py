"""Pictures meet by train and pulse whatever modules lack, repeat, or begin with: by hypothesis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.errors import ReductionError
from hsc.reductions.xfel.alignment import align, tell_lacking
from hsc.reductions.xfel.modules import Module, Segment

KEYS = [(train, pulse) for train in (7, 8, 1001) for pulse in (0, 4, 8)]
# Cells jump, and do not follow the pulses.
CELL = {key: 100 - 7 * (key[1] // 4) for key in KEYS}


@pytest.fixture(scope="session")
def module_of(picture):
    """Give a module with pictures of some pulses, cut into sequences anywhere."""

    def make(name, keys, cut, cells=CELL, absent=()):
        segments = []
        for first, part in ((0, keys[:cut]), (cut, keys[cut:])):
            ids = np.array(part, np.uint64).reshape(-1, 2)
            held = np.array([cells.get(key, 0) for key in part], np.uint16)
            frames = np.zeros((len(part), 2, 1, 1), np.uint16)
            lost = tuple(n - first for n in absent if 0 <= n - first < len(part))
            segments.append(
                Segment(
                    replace(picture(frames), absent=lost),
                    None,
                    picture(ids[:, :1]),
                    picture(ids[:, 1:]),
                    picture(held),
                )
            )
        return Module(name, tuple(segments))

    return make


@st.composite
def runs(draw):
    """Draw what modules have: any pulses in any order, padding, and pictures never written."""
    modules = []
    for _ in range(draw(st.integers(1, 3))):
        keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=len(KEYS)))
        for place in draw(st.lists(st.integers(0, len(keys)), max_size=2)):
            keys.insert(place, (0, 0))
        absent = draw(st.sets(st.integers(0, max(0, len(keys) - 1)), max_size=2))
        modules.append((keys, draw(st.integers(0, len(keys))), absent))
    return modules


@settings(max_examples=60, deadline=None)
@given(runs(), st.sampled_from(["pulse", "train"]))
def test_each_picture_is_where_its_train_and_pulse_say_and_nowhere_else(module_of, drawn, order):
    modules = [module_of(f"M{n}", *one[:2], absent=one[2]) for n, one in enumerate(drawn)]
    there = [
        {key: n for n, key in enumerate(keys) if key[0] and n not in absent}
        for keys, _, absent in drawn
    ]
    every = {key for known in there for key in known}
    if not every:
        with pytest.raises(ReductionError, match="none of the pictures"):
            align(modules, order)
        return
    found = align(modules, order)
    keys = list(zip(found.train_id.tolist(), found.pulse_id.tolist(), strict=True))
    assert keys == sorted(every, key=lambda key: key if order == "train" else key[::-1])
    assert found.cell_id.tolist() == [CELL[key] for key in keys]
    for number, known in enumerate(there):
        assert found.rows[number].tolist() == [known.get(key, -1) for key in keys]
    lost = sum(len(every) - len(known) for known in there)
    assert bool(tell_lacking(modules, found)) == bool(lost)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(KEYS), unique=True, min_size=1), st.data())
def test_a_repeated_pulse_or_another_cell_is_refused_never_chosen_from(module_of, keys, data):
    again = data.draw(st.sampled_from(keys))
    cut = data.draw(st.integers(0, len(keys)))
    twice = module_of("M0", [*keys, again], cut)
    with pytest.raises(ReductionError, match="M0 has several pictures of one pulse"):
        align([twice], "pulse")
    other = module_of("M1", keys, cut, {**CELL, again: 3})
    with pytest.raises(ReductionError, match="M1 held 1 pulses in other memory cells"):
        align([module_of("M0", keys, cut), other], "pulse")
