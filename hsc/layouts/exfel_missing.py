"""What a European XFEL run lacks: modules and sequences; and which trains a module has not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hsc.layouts.exfel_file import ExfelFile, ImageSource

_NAMED = 10
# Pixels of one module; a detector's name tells how many the whole has.
_DETECTOR = re.compile(r"(AGIPD|LPD|DSSC|JF)(\d+)(K|M)")
_MODULE_KILOPIXELS = {"AGIPD": 64, "LPD": 64, "DSSC": 64, "JF": 512}
_FIRST_MODULE = {"AGIPD": 0, "LPD": 0, "DSSC": 0, "JF": 1}


def find_missing(files: Sequence[ExfelFile]) -> tuple[str, ...]:
    """Tell what a complete run would have and this one has not.

    A detector of a known kind has as many modules as its name says (``AGIPD1M``: 16), each
    aggregator's sequence has no hole, and the modules of one detector have the same sequences.
    """
    return (*_lacking_modules(files), *_lacking_sequences(files))


def lacking_trains(files: Sequence[ExfelFile]) -> tuple[str, ...]:
    """Tell which trains single modules have no images of.

    The detector lost them or the module was not read out: the files are whole, and arrays are to
    be aligned by train, never by row.
    """
    told = []
    for detector, modules in _detectors(files).items():
        trains = {
            module: {train for images in each for train in images.trains}
            for module, each in modules.items()
        }
        every = set().union(*trains.values())
        for module, there in sorted(trains.items()):
            lacking = sorted(every - there)
            if lacking:
                told.append(
                    f"module {module} of {detector} lacks {len(lacking)} of {len(every)} trains: "
                    f"{_some(lacking)}"
                )
    return tuple(told)


def _lacking_modules(files: Sequence[ExfelFile]) -> list[str]:
    told = []
    for detector, modules in _detectors(files).items():
        expected = _expected_modules(detector, modules)
        lacking = sorted(expected - set(modules))
        if lacking:
            count = len(expected | set(modules))
            told.append(f"{len(lacking)} of {count} modules of {detector}: {_some(lacking)}")
    return told


def _expected_modules(detector: str, there: Iterable[int]) -> set[int]:
    match = _DETECTOR.search(detector)
    if match is None:
        return set()
    kilopixels = int(match[2]) * (1024 if match[3] == "M" else 1)
    # 500K is short for 512 kilopixels.
    count = max(1, round(kilopixels / _MODULE_KILOPIXELS[match[1]]))
    first = _FIRST_MODULE[match[1]]
    return set(range(first, first + count))


def _lacking_sequences(files: Sequence[ExfelFile]) -> list[str]:
    found: dict[str, set[int]] = {}
    for file in files:
        found.setdefault(file.name.aggregator, set()).add(file.name.sequence)
    last = {aggregator: max(there) for aggregator, there in found.items()}
    for mates in _aggregators(files):
        # Sequences end together only within a detector.
        common = max(last[mate] for mate in mates)
        last |= dict.fromkeys(mates, common)
    told = []
    for aggregator, there in sorted(found.items()):
        lacking = sorted(set(range(last[aggregator] + 1)) - there)
        if lacking:
            told.append(
                f"{len(lacking)} of {last[aggregator] + 1} sequences of {aggregator}: "
                f"{_some([f'S{number:05}' for number in lacking])}"
            )
    return told


def _aggregators(files: Sequence[ExfelFile]) -> list[set[str]]:
    """Give, for each detector, the aggregators that write its modules."""
    found: dict[str, set[str]] = {}
    for file in files:
        for images in file.images:
            if images.detector:
                found.setdefault(images.detector, set()).add(file.name.aggregator)
    return list(found.values())


def _detectors(files: Sequence[ExfelFile]) -> dict[str, dict[int, list[ImageSource]]]:
    found: dict[str, dict[int, list[ImageSource]]] = {}
    for file in files:
        for images in file.images:
            if images.detector:
                found.setdefault(images.detector, {}).setdefault(images.module, []).append(images)
    return dict(sorted(found.items()))


def _some(values: Sequence[object]) -> str:
    more = len(values) - _NAMED
    named = ", ".join(map(str, values[:_NAMED]))
    return f"{named} and {more} more" if more > 0 else named
