"""Table, bundle and page: the same bytes each time, nothing invented, nothing from elsewhere."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from hsc.reductions.biosaxs.reports.bundle import make_bundle
from hsc.reductions.biosaxs.reports.drawing import Plot, as_png, as_svg
from hsc.reductions.biosaxs.reports.facts import ReportFacts, ReportInput
from hsc.reductions.biosaxs.reports.guidelines import guideline_rows
from hsc.reductions.biosaxs.reports.page import chain_page, gathered
from hsc.reductions.biosaxs.tree import Labels

DRAW = """
import sys, hashlib
from hsc.reductions.biosaxs.reports.drawing import Plot, as_png, as_svg

def draw(figure):
    axes = figure.subplots()
    axes.errorbar([1, 2, 3], [1.5, 2.5, 2.0], [0.1, 0.2, 0.1], fmt="o", label="q·Rg (nm⁻¹)")
    axes.imshow([[0, 1], [1, 0]], extent=(0, 1, 0, 1))
    axes.legend()

plot = Plot("a", "A", "b", draw)
digest = hashlib.blake2b(as_svg(plot) + as_png([plot, plot], "both")).hexdigest()
sys.stdout.write(digest)
"""


class Page(HTMLParser):
    """What a page refers to, and whether its tags close."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_table_says_what_is_known_and_what_is_not(taken):
    rows = list(csv.reader(io.StringIO(taken.files["table.csv"].decode(), newline="")))
    assert rows[0] == ["part", "item", "value"]
    found = {item: value for _, item, value in rows[1:]}
    assert found["Sample"] == "lysozyme"
    assert found["Concentration (g/L)"] == "5"
    assert found["Organism"] == found["Beam size (µm)"] == "not recorded"
    assert found["Absolute scaling method"] == "none"
    assert found["Sample frames averaged"].startswith("8 of 8")
    assert found["Guinier analysis: Rg (nm)"].startswith(f"{taken.outputs.results['rg_nm']:.3f} ± ")
    assert {row[0] for row in rows[1:]} == set("abcdefg")
    assert found["Shape model"] == "none made by hsc"
    assert all(value for value in found.values())
    document = json.loads(taken.files["table.json"])
    items = {one["item"]: one["value"] for part in document["parts"] for one in part["items"]}
    unknown = {"not recorded", "none made by hsc"}
    assert items == {name: None if value in unknown else value for name, value in found.items()}
    assert "| Organism | not recorded |" in taken.files["table.md"].decode()


# Table 1 of the guidelines of 2017, line by line, in our words; see the module on where from.
ASKED = """a Organism|a Source|a UniProt|a Extinction coefficient|a Partial specific volume
a Contrast|a Molecular mass from chemical composition|a Concentration (g/L)|a Solvent composition
b instrument|b Wavelength (nm)|b Beam size (µm)|b Camera length (m)|b q range measured (1/nm)
b Absolute scaling method|b normalisation to constant counts|b monitoring radiation damage
b Exposure|b Sample configuration|b Sample temperature (°C)
c data reduction|c Extinction coefficient estimate|c Calculation of contrast|c Guinier|c p(r)
c volumes|c Shape or bead|c Atomic structure|c missing sequence|c graphics
d Guinier analysis: I(0) (|d Guinier analysis: Rg (nm)|d Guinier analysis: q range (1/nm)
d Guinier analysis: q·Rg|d correlation R²|d p(r) analysis: I(0) (|d p(r) analysis: Rg (nm)
d p(r) analysis: Dmax (nm)|d p(r) analysis: q range (1/nm)|d p(r) analysis: reduced χ²
d Porod volume (nm³)|d Molecular mass from I(0) (kDa)|d Ratio of masses to that from chemical
e Shape|f Atomistic|g SASBDB"""


def test_all_that_the_guidelines_ask_has_a_line_also_where_nothing_is_known(followed):
    rows = guideline_rows(followed, ReportFacts(Labels(None, None, {}, "biosaxs", "1")))
    lines = [f"{row.part} {row.name}" for row in rows]
    for asked in ASKED.replace("\n", "|").split("|"):
        part, what = asked.split(" ", 1)
        assert [line for line in lines if line.startswith(part) and what in line], asked
    assert len(set(lines)) == len(lines)
    assert all(row.value for row in rows)
    found = {row.name: row.value for row in rows}
    assert found["Sample"] == found["p(r) analysis: Dmax (nm)"] == "not recorded"
    assert float(found["Guinier analysis: coefficient of correlation R²"]) > 0.9


def test_an_elution_is_asked_for_its_column(followed):
    rows = guideline_rows(followed, ReportFacts(Labels(None, None, {}, "sec_saxs", "1")))
    assert {"SEC column", "Injection volume (µL)", "Flow rate (mL/min)"} <= {r.name for r in rows}
    labels = Labels(None, None, {}, "sec_saxs", "1", concentration_g_per_l=8.0)
    found = {row.name: row.value for row in guideline_rows(followed, ReportFacts(labels))}
    # What was loaded is thinned out on its way.
    assert found["Loading concentration (g/L)"] == "8"
    assert found["Concentration (g/L)"] == "not recorded"


def test_the_table_says_all_that_intensities_are_divided_by(followed):
    divided = replace(followed, sample=replace(followed.sample, runs=tuple(
        replace(run, transmission=0.8) for run in followed.sample.runs)))  # fmt: skip
    rows = guideline_rows(divided, ReportFacts(Labels(None, None, {}, "biosaxs", "1")))
    found = {row.name: row.value for row in rows}
    assert found["Basis for normalisation to constant counts"] == "exposure time and transmission"


def test_what_is_said_of_all_peaks_is_said_once():
    said = [("drifts", "peak 1: bends", "few"), ("drifts", "low")]
    assert gathered(said) == ["drifts", "peak 1: bends", "peak 1: few", "peak 2: low"]
    assert gathered([("few",)]) == ["peak 1: few"]


def test_the_bundle_holds_the_files_themselves_without_a_time(taken):
    bundle = zipfile.ZipFile(io.BytesIO(taken.files["sasbdb.zip"]))
    names = bundle.namelist()
    assert names[0] == "README.txt"
    assert {"subtracted.dat", "sample.dat", "buffer.dat", "pr.txt", "curve.sascif"} <= set(names)
    for name in names[1:]:
        assert bundle.read(name) == taken.files[name]
        assert name in bundle.read("README.txt").decode()
    assert {each.date_time for each in bundle.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert "still asks" in bundle.read("README.txt").decode()


def test_the_bundle_has_the_same_bytes_on_any_system():
    facts = ReportFacts(Labels("a", None, {}, "biosaxs", "1"))
    made = make_bundle({"table.md": b"x"}, facts)
    assert made == make_bundle({"table.md": b"x", "report.html": b"y"}, facts)
    assert {each.create_system for each in zipfile.ZipFile(io.BytesIO(made)).infolist()} == {3}


def test_the_page_needs_nothing_else_and_says_where_it_is_from(taken):
    text = taken.files["report.html"].decode()
    page = Page(text)
    assert page.open == []
    assert not any(tag in {"script", "link", "iframe", "object"} for tag, _ in page.tags)
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(images) == 6
    assert all(one["src"].startswith("data:image/svg+xml;base64,") for one in images)
    assert all(len(one["alt"]) > 40 for one in images)
    outside = re.sub(r"data:image[^\"]+", "", text)
    assert not re.search(r"(src|href|url\()[=\"']*\s*(https?:)?//", outside)
    assert all(pid in text for pid in taken.pids)
    results = taken.outputs.results
    assert f"{results['rg_nm']:.3f} ± " in text
    assert "Look at this first" in text
    assert taken.files["report.png"].startswith(b"\x89PNG")
    for name in ("matplotlib", "jinja2"):
        assert name not in outside


def test_no_file_knows_the_machine_or_the_hour_that_it_was_made_in(taken):
    inside = dict(taken.files)
    bundle = zipfile.ZipFile(io.BytesIO(inside.pop("sasbdb.zip")))
    inside |= {f"sasbdb.zip/{name}": bundle.read(name) for name in bundle.namelist()}
    page = inside["report.html"].decode()
    for number, plot in enumerate(re.findall(r"svg\+xml;base64,([^\"]+)", page)):
        inside[f"plot {number}"] = base64.b64decode(plot)
    # Date, time, and what names a machine: its host, its user's and its program's folders.
    today = datetime.now(UTC)
    words = [socket.gethostname(), str(Path.home()), sys.prefix, os.getcwd(), "matplotlib v",
             f"{today:%Y-%m-%d}", f"{today:%Y%m%d}", f"{today:%d %b %Y}"]  # fmt: skip
    for name, data in inside.items():
        # Of the page the plots stand by themselves: base64 may hold any short word.
        text = re.sub(rb"base64,[^\"]+", b"", data)
        assert [word for word in words if len(word) > 3 and word.encode() in text] == [], name
    assert set(chunk_kinds(inside["report.png"])) == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


def chunk_kinds(png: bytes) -> list[bytes]:
    place, kinds = 8, []
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        kinds.append(kind)
        place += 12 + length
    return kinds


def test_what_people_name_things_is_text_not_markup_and_remarks_are_sentences(reduce_page):
    page = reduce_page("<script>alert(1)</script> & 'x'")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in page
    assert "<li>It drifts.</li>" in page
    assert "<li>Compare: -p sec_buffer=...</li>" in page


def test_without_a_report_there_are_no_files(reduce_sphere):
    assert reduce_sphere(report=False, pr=False).files == {}


def test_plots_are_the_same_in_another_process_and_under_other_settings(tmp_path):
    (tmp_path / "matplotlibrc").write_text("xtick.labelsize: 20\nlines.linewidth: 6\n")
    digests = [
        subprocess.run(
            [sys.executable, "-c", DRAW],
            env={**os.environ, "PYTHONHASHSEED": seed, **more},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed, more in (("1", {}), ("2", {"MATPLOTLIBRC": str(tmp_path)}))
    ]  # fmt: skip
    assert digests[0] == digests[1] != ""


def test_plots_are_the_same_when_threads_draw_at_once():
    def draw(figure):
        figure.subplots().plot(np.arange(9.0), np.arange(9.0) ** 2)

    plot = Plot("a", "A", "b", draw)
    made: list[bytes] = []
    threads = [threading.Thread(target=lambda: made.append(as_svg(plot))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_axes_stand_at_rounded_places():
    # The layout's solver gives last digits that hang on addresses in memory: pixels differed.
    drawn = []

    def draw(figure):
        drawn.extend(figure.subplots(2, 1, sharex=True).ravel())
        for axes in drawn[-2:]:
            axes.plot(np.arange(9.0), np.arange(9.0) ** 2)
        drawn[-1].set_xlabel("frame")

    as_png([Plot(name, "A", "b", draw) for name in "abc"], "title")
    assert len(drawn) == 6
    for axes in drawn:
        assert [round(each, 4) for each in axes.get_position().bounds] == pytest.approx(
            axes.get_position().bounds, rel=0, abs=1e-12
        )


@pytest.fixture
def reduce_page(followed):
    """Give the page of an analysis whose sample and dataset have a certain name."""

    def make(name):
        facts = ReportFacts(
            Labels(name, None, {}, "biosaxs", "1"), (ReportInput("sample", "a/b@1", name),)
        )
        warned = replace(followed, warnings=("it drifts", "compare: -p sec_buffer=..."))
        return chain_page(warned, facts)["report.html"].decode()

    return make
