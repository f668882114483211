"""The report page: one HTML file that needs nothing else, and its plots as one PNG."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsc.reductions.biosaxs.chain import Chain
from hsc.reductions.biosaxs.choosing import spell_frames
from hsc.reductions.biosaxs.peaks import SecSaxs
from hsc.reductions.biosaxs.reports.drawing import GREY, INK, Plot, as_png, as_svg
from hsc.reductions.biosaxs.reports.elution_plot import elution_plot
from hsc.reductions.biosaxs.reports.facts import ReportFacts
from hsc.reductions.biosaxs.reports.guidelines import PARTS, guideline_rows
from hsc.reductions.biosaxs.reports.plots import chain_plots
from hsc.reductions.biosaxs.reports.remarks import remarks_of
from hsc.reductions.biosaxs.reports.wording import method_name, number, plus_minus

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase


@dataclass(frozen=True, slots=True)
class Part:
    """One analysed curve of a page."""

    title: str
    """Its heading; empty where it is the only one."""
    chain: Chain
    """What there is to tell."""
    plots: tuple[Plot, ...]
    """Its plots."""
    doubtful: bool = False
    """Whether its numbers are off by more than their errors."""


def chain_page(chain: Chain, facts: ReportFacts) -> dict[str, bytes]:
    """Give page and picture of a sample less its buffer."""
    plots = chain_plots(chain)
    part = Part("", chain, plots)
    title = f"{facts.sample}: small-angle scattering"
    return {
        "report.html": _page(title, remarks_of(chain), (), (part,), facts),
        "report.png": as_png((*plots, _numbers(chain)), title),
    }


def elution_page(found: SecSaxs, facts: ReportFacts) -> dict[str, bytes]:
    """Give page and picture of an elution; the picture shows its main peak."""
    whole = elution_plot(found)
    parts = [
        Part(
            f"Peak {n}, frames {spell_frames(peak.chain.sample.runs[0].kept)}",
            peak.chain,
            chain_plots(peak.chain, traces=False),
            bool(peak.doubts),
        )
        for n, peak in enumerate(found.peaks, start=1)
    ]
    main = next(part for part in parts if part.chain is found.main.chain)
    remarks = [
        *found.failures,
        *gathered([remarks_of(part.chain) for part in parts]),
    ]
    title = f"{facts.sample}: size-exclusion chromatography with small-angle scattering"
    return {
        "report.html": _page(title, remarks, (whole,), parts, facts),
        "report.png": as_png(
            (whole, *main.plots, _numbers(main.chain)), f"{title}; {main.title.lower()}"
        ),
    }


def gathered(said: Sequence[Sequence[str]]) -> list[str]:
    """Gather what is said of peaks: once what is said of all, else with the peak's number."""
    texts = dict.fromkeys(text for one in said for text in one)
    found = []
    for text in texts:
        peaks = [number for number, one in enumerate(said, start=1) if text in one]
        named = text.startswith("peak") or len(peaks) == len(said) > 1
        numbers = ", ".join(str(number) for number in peaks)
        found.append(text if named else f"peak{'s' * (len(peaks) > 1)} {numbers}: {text}")
    return found


def _page(
    title: str,
    remarks: Sequence[str],
    before: Sequence[Plot],
    parts: Sequence[Part],
    facts: ReportFacts,
) -> bytes:
    # jinja2 is no part of a laptop's installation.
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = Path(__file__).with_name("page.html").read_text("utf-8")
    said = [
        {
            "title": part.title,
            "doubtful": part.doubtful,
            "head": head_rows(part.chain),
            "numbers": results_rows(part.chain),
            "plots": [_figure(plot) for plot in part.plots],
            "steps": [(step.title, step.description) for step in part.chain.steps],
            "table": [
                (letter, name, [r for r in guideline_rows(part.chain, facts) if r.part == letter])
                for letter, name in PARTS.items()
            ],
        }
        for part in parts
    ]
    text = environment.from_string(source).render(
        title=title,
        facts=facts,
        remarks=[_sentence(text) for text in remarks],
        before=[_figure(plot) for plot in before],
        parts=said,
        inputs=_numbered(facts),
        files=_FILES,
        parameters=[
            (name, _spelled(value)) for name, value in sorted(facts.labels.parameters.items())
        ],
    )
    return text.encode()


def head_rows(chain: Chain) -> list[tuple[str, str]]:
    """Give what stands above the plots: the few numbers that everybody looks for."""
    found = chain.analysis
    guinier, pairs = found.guinier, found.pairs
    rows = [
        ("Radius of gyration Rg", f"{plus_minus(guinier.rg_nm, guinier.rg_error_nm)} nm"),
        ("Forward scattering I(0)", f"{plus_minus(guinier.i0, guinier.i0_error)} {_unit(chain)}"),
    ]
    if pairs is not None:
        rows.append(
            ("Largest distance Dmax", f"{plus_minus(pairs.dmax_nm, pairs.dmax_error_nm)} nm")
        )
    if found.masses:
        kda = [number(one.kda, 3) for one in found.masses]
        rows.append(("Molecular mass", f"{' or '.join(dict.fromkeys(kda))} kDa"))
    rows += [
        (f"{side.name.capitalize()} frames kept", f"{side.frames_kept} of {side.frames}")
        for side in (chain.sample, chain.buffer)
    ]
    return rows


def _unit(chain: Chain) -> str:
    return "cm⁻¹" if chain.analysis.intensity_unit == "1/cm" else "arbitrary units"


def _numbered(facts: ReportFacts) -> list[tuple[str, str, str]]:
    """Give role, PID and title of the inputs; of several of a role each has its number."""
    count = Counter(one.role for one in facts.inputs)
    seen: Counter[str] = Counter()
    rows = []
    for one in facts.inputs:
        seen[one.role] += 1
        name = f"{one.role} {seen[one.role]}" if count[one.role] > 1 else one.role
        rows.append((name, one.pid, one.title))
    return rows


def results_rows(chain: Chain) -> list[tuple[str, str, str, str]]:
    """Give the numbers that people ask for first: name, value with error, unit, how found."""
    found = chain.analysis
    guinier, pairs, volumes = found.guinier, found.pairs, found.invariants
    unit = _unit(chain)
    way = f"Guinier, {method_name(guinier.method)}, {guinier.stop - guinier.start} points"
    rows = [
        ("Radius of gyration Rg", plus_minus(guinier.rg_nm, guinier.rg_error_nm), "nm", way),
        ("Forward scattering I(0)", plus_minus(guinier.i0, guinier.i0_error), unit, way),
    ]
    if pairs is not None:
        how = "p(r), Bayesian indirect transformation"
        rows += [
            ("Rg of p(r)", plus_minus(pairs.rg_nm, pairs.rg_error_nm), "nm", how),
            ("Largest distance Dmax", plus_minus(pairs.dmax_nm, pairs.dmax_error_nm), "nm", how),
        ]
    rows += [
        (
            f"Mass by {method_name(mass.method)}", plus_minus(mass.kda, mass.error_kda), "kDa",
            mass.reference,
        )
        for mass in found.masses
    ]  # fmt: skip
    if volumes.porod_volume_nm3 is not None:
        rows.append(
            ("Porod volume", plus_minus(volumes.porod_volume_nm3, volumes.porod_volume_error_nm3),
             "nm³", f"to q = {number(volumes.porod_q_max_per_nm, 3)} nm⁻¹")
        )  # fmt: skip
    if volumes.vc_nm2 is not None:
        rows.append(
            ("Volume of correlation", plus_minus(volumes.vc_nm2, volumes.vc_error_nm2), "nm²",
             f"to q = {number(volumes.vc_q_max_per_nm, 3)} nm⁻¹")
        )  # fmt: skip
    rows += [
        (f"Rg by {method_name(one.method)}", plus_minus(one.rg_nm, one.rg_error_nm), "nm",
         f"q·Rg {number(one.qrg_min, 2)} to {number(one.qrg_max, 3)}, for comparison")
        for one in found.estimates if one.method != guinier.method
    ]  # fmt: skip
    rows += [
        (f"{side.name.capitalize()} frames averaged", f"{side.frames_kept} of {side.frames}", "",
         "; ".join(spell_frames(run.kept) for run in side.runs))
        for side in (chain.sample, chain.buffer)
    ]  # fmt: skip
    return rows


_FILES = (
    ("subtracted.dat, sample.dat, buffer.dat", "columns q, I, error for ATSAS, RAW and others"),
    ("pr.txt, pr_fit.txt", "p(r) and its fit"),
    ("table.csv, table.md, table.json", "the publication guidelines' table"),
    ("curve.sascif, sasbdb.zip", "for SASBDB"),
)


def _numbers(chain: Chain) -> Plot:
    """Give the results as a plot's neighbour, for a picture that goes without its page."""
    rows = results_rows(chain)[:9]
    remarks = remarks_of(chain)
    return Plot("numbers", "Results", "", partial(_write, rows=rows, remarks=len(remarks)))


def _write(figure: FigureBase, *, rows: Sequence[tuple[str, str, str, str]], remarks: int) -> None:
    axes = figure.subplots()
    axes.set_axis_off()
    for line, (name, value, unit, _) in enumerate(rows):
        y = 0.97 - 0.1 * line
        axes.text(0.0, y, name, va="top", color=GREY, transform=axes.transAxes)
        axes.text(0.5, y, f"{value} {unit}", va="top", color=INK, transform=axes.transAxes)
    said = "no remarks" if not remarks else f"remarks: {remarks}; read the page first"
    axes.text(0.0, 0.0, said, va="bottom", color=INK, transform=axes.transAxes)


def _figure(plot: Plot) -> dict[str, str | bool]:
    encoded = base64.b64encode(as_svg(plot)).decode()
    return {
        "title": plot.title,
        "caption": plot.caption,
        "wide": plot.wide,
        "source": f"data:image/svg+xml;base64,{encoded}",
    }


def _sentence(text: str) -> str:
    # What ends in a parameter ends in its dots: -p sec_buffer=...
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _spelled(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
