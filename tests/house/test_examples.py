"""Every reduction has a small example, which takes it through all ways to run."""

from __future__ import annotations

from hsc.reductions import REDUCTIONS
from hsc.testing.reductions import EXAMPLES


def test_every_reduction_has_an_example() -> None:
    """`tests/journey/test_reproduce.py` runs them: threads, processes, orders, cuts, once more."""
    lacking = sorted(REDUCTIONS.keys() - EXAMPLES.keys())
    assert not lacking, f"hsc/testing/reductions/table.py has no example of {', '.join(lacking)}"
    assert not EXAMPLES.keys() - REDUCTIONS.keys()


def test_reductions_bear_the_name_that_they_are_found_by() -> None:
    assert {name: each.name for name, each in REDUCTIONS.items()} == {
        name: name for name in REDUCTIONS
    }
