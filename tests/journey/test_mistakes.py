"""Mistakes on the command line are told for what they are, and nothing is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

NOWHERE = "hsc.x/01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("search", "--kind", "foo"), "raw"),
        (("access", NOWHERE, "--visibility", "foo"), "private"),
        (("access", NOWHERE, "--class", "foo"), "human"),
        (("annotate", NOWHERE, "--verdict", "foo"), "good"),
    ],
)
def test_a_word_that_an_option_does_not_know_is_wrong_usage(hsc, words, known: str) -> None:
    told = hsc(*words, code=2).stderr
    assert "'foo'" in told
    assert known in told


@pytest.mark.parametrize(
    "words",
    [("search",), ("show", NOWHERE), ("lineage", NOWHERE), ("activities",), ("verify", NOWHERE)],
)
def test_what_reads_makes_no_catalog_of_a_mistyped_path(hsc, tmp_path: Path, words) -> None:
    mistyped = tmp_path / "catalgo.sqlite"
    env = {"HSC_CATALOG": f"sqlite:///{mistyped}"}
    told = hsc(*words, code=1, env=env).error_parts()
    assert told[:2] == ("there is no catalog", str(mistyped))
    assert "HSC_CATALOG" in told[2]
    assert not mistyped.exists()


def test_what_writes_first_makes_the_catalog_and_says_so(hsc, tree_file, tmp_path: Path) -> None:
    env = {"HSC_CATALOG": f"sqlite:///{tmp_path}/catalog.sqlite"}
    first = hsc("ingest", tree_file, env=env)
    assert "a new catalog" in first.stderr
    assert "a new catalog" not in hsc("ingest", tree_file, env=env).stderr
    assert hsc.json("search", env=env)["total"] == 1
