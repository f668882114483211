"""Damaged files, hundreds of them: each is refused, or has gaps, or is equal to what h5py reads."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from fuzzing.children import LOCATION, compare, take_in
from fuzzing.damage import damaged
from fuzzing.seeds import write_seeds

from hsc.errors import SourceError
from hsc.workers import Child, Limits

R = TypeVar("R")
PARTS = 3
TESTS = Path(__file__).resolve().parents[1]
SUFFIXES = {".h5", ".hdf5", ".nxs", ".nx"}
LARGEST_SEED_BYTES = 60_000
# HDF5 itself turns round for ever in some damaged heaps of texts.
LIMITS = Limits(memory_bytes=2**30, seconds=8)
# What h5py does not read either: nothing to be equal to.
UNREADABLE = "can't be compared"


@dataclass
class Outcomes:
    """What became of the damaged files."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many came to what."""
    equal_arrays: int = 0
    """Arrays found equal in files that were taken in."""
    wrong: list[str] = field(default_factory=list)
    """Silent differences, and errors that are none of ours."""


def _seed_files(folder: Path, realfiles: Path | None) -> list[Path]:
    made = write_seeds(folder)
    if realfiles is None:
        return made
    found = (path for path in realfiles.rglob("*") if path.suffix in SUFFIXES)
    real = sorted(path for path in found if 0 < path.stat().st_size <= LARGEST_SEED_BYTES)
    # As many of ours as of theirs.
    return [each for pair in zip(real, made * len(real), strict=False) for each in pair]


def _fuzz(seeds: list[Path], count: int, seed: int, folder: Path) -> Outcomes:
    done, rng = Outcomes(), np.random.default_rng(seed)
    seeds = [seeds[at] for at in rng.permutation(len(seeds))]
    with closing(Kept("an engine")) as engine, closing(Kept("a reader")) as reader:
        for number in range(count):
            source = seeds[number % len(seeds)]
            data, what = damaged(source.read_bytes(), rng)
            path = folder / f"{number}" / source.name
            path.parent.mkdir()
            path.write_bytes(data)
            label = f"{number}: {source.name}, {what}"
            _one(path, path.parent / "store", label, engine, reader, done)
            if not any(line.startswith(f"{number}: ") for line in done.wrong):
                shutil.rmtree(path.parent)
    return done


class Kept:
    """A child for many files: half a second each is too much for thousands."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._child: Child | None = None

    def call(self, function: Callable[..., R], *args: object, doing: str) -> R:
        if self._child is None or not self._child.alive:
            self.close()
            self._child = Child(self._name, LIMITS)
        return self._child.call(function, *args, doing=doing)

    def close(self) -> None:
        if self._child is not None:
            self._child.close()


def _one(path: Path, store: Path, label: str, engine: Kept, reader: Kept, done: Outcomes) -> None:
    try:
        made = engine.call(take_in, str(path), store.as_uri(), doing="taking it in")
    except SourceError as error:
        done.counts[type(error).__name__] += 1
        return
    except Exception as error:
        done.counts["a defect"] += 1
        done.wrong.append(f"{label}: {type(error).__name__}: {error}")
        return
    if isinstance(made, str):
        done.counts[made] += 1
        return
    done.counts["with gaps" if made else "taken in whole"] += 1
    try:
        folder = str(store / LOCATION)
        wrong, arrays = reader.call(compare, str(path), folder, made, doing="comparing it")
    except SourceError as error:
        done.counts[f"h5py: {type(error).__name__}"] += 1
        return
    done.equal_arrays += arrays
    done.wrong += [f"{label}: {line}" for line in wrong if not _excused(line, made)]


def _excused(line: str, gaps: dict[str, str]) -> bool:
    """Tell whether h5py does not read it either, or it is a reference to what is a gap."""
    _, leads, target = line.rpartition(", not to ")
    return UNREADABLE in line or bool("a reference leads to @" in line and leads and target in gaps)


@pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
@pytest.mark.parametrize("part", range(PARTS))
def test_no_damage_crashes_hangs_or_differs_in_silence(
    fuzz: tuple[int, int],
    realfiles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
    part: int,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))  # children import what they run from there
    count, seed = fuzz[0] // PARTS, fuzz[1] + part
    folder = tmp_path / "seeds"
    folder.mkdir()
    done = _fuzz(_seed_files(folder, realfiles), count, seed, tmp_path)
    told = ", ".join(f"{n} {what}" for what, n in done.counts.most_common())
    report = f"{count} files, seed {seed}: {told}; {done.equal_arrays} arrays equal"
    record_property("fuzz", report)
    assert done.wrong == [], "\n".join([report, *done.wrong])
    assert sum(done.counts.values()) == count
    assert done.equal_arrays > count / 2, report
