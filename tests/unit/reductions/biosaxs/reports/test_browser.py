"""The report page in a real browser: nothing missing, nothing fetched, readable on a phone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from hsc.reductions.biosaxs.sec import SEC_SAXS
from hsc.workers import ThreadWorkers

from .looking import PHONE, Seen, look

pytest.importorskip("playwright", reason="no playwright; make .venv/.dev")

# WCAG 2, 1.4.3: text of normal size.
_LEAST_CONTRAST = 4.5


def shown(chromium: str, folder: Path, page: bytes) -> Seen:
    file = folder / "report.html"
    file.write_bytes(page)
    seen = look(chromium, file)
    assert seen.console == ()
    assert set(seen.requests) == {file.as_uri()}
    assert seen.print_bytes > 50_000
    for (width, _), facts in seen.facts.items():
        assert facts["page_width"] <= width
        assert facts["cut"] == []
        assert facts["lang"] == "en"
        assert facts["scripts"] == 0
        assert facts["headings"].count(1) == 1
        assert facts["headings"][0] == 1
        assert all(after - before <= 1 for before, after in pairwise(facts["headings"]))
        assert all(natural > 0 for natural in facts["widths"])
        assert all(drawn > 250 for drawn in facts["drawn"])
        assert all(len(alt) > 40 for alt in facts["alts"])
        assert len(set(facts["alts"])) == len(facts["alts"])
        assert facts["contrast"] >= _LEAST_CONTRAST
    return seen


def test_a_browser_shows_the_page_whole_and_asks_for_nothing(chromium, taken, tmp_path):
    facts = shown(chromium, tmp_path, taken.files["report.html"]).facts[PHONE]
    assert len(facts["widths"]) == 6
    for pid in taken.pids:
        assert pid in facts["text"]
    assert "nm⁻¹" in facts["text"]
    assert "8 of 8" in facts["text"]


def test_a_browser_shows_an_elution_with_its_peaks(chromium, elution, tmp_path):
    parameters = {"bins": 60, "pr": False, "sec_buffer": "1-40", "sec_peaks": "106-116,170-180"}
    files = SEC_SAXS.run({"sample": elution()}, parameters, ThreadWorkers(2)).files
    facts = shown(chromium, tmp_path, files["report.html"]).facts[PHONE]
    assert facts["alts"][0].startswith("Chromatogram")
    assert "Peak 1, frames 106-116" in facts["text"]
    assert "Peak 2, frames 170-180" in facts["text"]
