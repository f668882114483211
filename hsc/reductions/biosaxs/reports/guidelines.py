"""The table that the publication guidelines ask for, filled with what is known.

J. Trewhella and others, Acta Cryst. D73 (2017) 710, doi:10.1107/S2059798317011597, table 1; and
the template of their update, Acta Cryst. D79 (2023) 122, doi:10.1107/S2059798322012141. Its parts
(a) sample details, (b) data collection, (c) software, (d) structural parameters are here; the
parts on models are the author's. What is not known is said to be ``not recorded``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hsc.model import canonical_json
from hsc.reductions.biosaxs.analysis import Analysis
from hsc.reductions.biosaxs.chain import Chain
from hsc.reductions.biosaxs.choosing import spell_frames
from hsc.reductions.biosaxs.invariants import MassParameters, contrast_cm_per_g
from hsc.reductions.biosaxs.reports.facts import NOT_RECORDED, ReportFacts
from hsc.reductions.biosaxs.reports.wording import method_name, number, plus_minus
from hsc.reductions.biosaxs.runs import Side

_CITED = "Trewhella et al. 2017, doi:10.1107/S2059798317011597; 2023, doi:10.1107/S2059798322012141"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    part: str
    """``a`` to ``d``, as in the guidelines."""
    name: str
    """What is asked for, with its unit."""
    value: str
    """What is known, as people read it; ``not recorded`` otherwise."""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value != NOT_RECORDED


PARTS = {
    "a": "Sample details",
    "b": "SAS data-collection parameters",
    "c": "Software employed for SAS data reduction, analysis and interpretation",
    "d": "Structural parameters",
}
"""The parts by their letters."""


def guideline_rows(chain: Chain, facts: ReportFacts) -> tuple[Row, ...]:
    """Give all lines of the table, part by part."""
    parts = {
        "a": _sample(facts),
        "b": _collection(chain, facts),
        "c": _software(chain, facts),
        "d": _structure(chain.analysis),
    }
    return tuple(
        Row(part, name, value or NOT_RECORDED)
        for part, lines in parts.items()
        for name, value in lines
    )


def table_csv(rows: Sequence[Row]) -> bytes:
    """Write the table as CSV (RFC 4180, UTF-8)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["part", "item", "value"])
    writer.writerows([row.part, _harmless(row.name), _harmless(row.value)] for row in rows)
    return text.getvalue().encode()


def table_json(rows: Sequence[Row]) -> bytes:
    """Write the table as JSON; what is not recorded is null."""
    document: dict[str, Any] = {
        "guidelines": _CITED,
        "parts": [
            {
                "part": part,
                "title": title,
                "items": [
                    {"item": row.name, "value": row.value if row.known else None}
                    for row in rows
                    if row.part == part
                ],
            }
            for part, title in PARTS.items()
        ],
    }
    return canonical_json(document) + b"\n"


def table_markdown(rows: Sequence[Row]) -> bytes:
    """Write the table as Markdown."""
    lines = [f"After {_CITED}."]
    for part, title in PARTS.items():
        lines += ["", f"### ({part}) {title}", "", "| | |", "|---|---|"]
        lines += [f"| {_cell(r.name)} | {_cell(r.value)} |" for r in rows if r.part == part]
    return ("\n".join(lines) + "\n").encode()


Line = tuple[str, str | None]


def _sample(facts: ReportFacts) -> list[Line]:
    protein = MassParameters.model_validate(
        {
            name: value
            for name, value in facts.labels.parameters.items()
            if name in MassParameters.model_fields
        }
    )
    contrast = contrast_cm_per_g(protein)
    concentration = facts.labels.concentration_g_per_l
    return [
        ("Sample", facts.labels.sample_name),
        ("Organism", None),
        ("Source (catalogue number or reference)", None),
        ("UniProt sequence ID (residues in construct)", None),
        ("Extinction coefficient", None),
        ("Partial specific volume (cm³/g), as given to the reduction",
         number(protein.partial_specific_volume_cm3_per_g, 4)),
        ("Contrast Δρ per gram (10¹⁰ cm/g), from the parameters", number(contrast / 1e10, 4)),
        ("Molecular mass from chemical composition (kDa)", None),
        ("Loading concentration (g/L)",
         None if concentration is None else number(concentration, 4)),
        ("Solvent composition and source", None),
    ]  # fmt: skip


def _collection(chain: Chain, facts: ReportFacts) -> list[Line]:
    stack = chain.sample.runs[0].stack
    geometry, curve = stack.binning.geometry, chain.curve
    scale = chain.scale
    inputs = [f"{one.role} {one.pid}" for one in facts.inputs]
    return [
        ("Source, instrument", facts.labels.instrument),
        ("Detector", geometry.detector_name),
        ("Wavelength (nm)", number(geometry.wavelength_m * 1e9, 6)),
        ("Sample to detector distance (m)", number(geometry.distance_m, 6)),
        ("q range measured (1/nm)",
         f"{number(curve.q_per_nm[0], 4)} to {number(curve.q_per_nm[-1], 4)}"),
        ("Beam size", None),
        ("Absolute scaling method",
         "none" if scale is None
         else f"{scale.standard.replace('_', ' ')}, factor "
              f"{plus_minus(scale.factor, scale.factor_error)}"),
        ("Intensity unit", chain.analysis.intensity_unit),
        ("Normalisation",
         "exposure time" if chain.sample.runs[0].exposure_s is not None else "per frame"),
        ("Method for monitoring radiation damage", _damage(chain.sample)),
        ("Exposure per sample frame (s)", _exposure(chain.sample)),
        ("Exposure per buffer frame (s)", _exposure(chain.buffer)),
        ("Sample frames averaged", _frames(chain.sample)),
        ("Buffer frames averaged", _frames(chain.buffer)),
        ("Sample configuration", None),
        ("Sample temperature (°C)", None),
        ("Datasets", "; ".join(inputs) or None),
    ]  # fmt: skip


def _software(chain: Chain, facts: ReportFacts) -> list[Line]:
    def named(package: str) -> str | None:
        found = facts.software.get(package)
        return None if found is None else f"{package} {found}"

    geometry = named("pyFAI")
    integration = facts.program + (f"; geometry by {geometry}" if geometry else "")
    return [
        ("SAS data reduction", integration),
        ("Basic analyses: Guinier",
         f"{facts.program}; {method_name(chain.analysis.guinier.method)}"),
        ("Basic analyses: p(r)", named("freesas")),
        ("Basic analyses: volumes and masses", named("freesas")),
        ("Shape or bead modelling", None),
        ("Atomic structure modelling", None),
        ("Molecular graphics", None),
    ]  # fmt: skip


def _structure(found: Analysis) -> list[Line]:
    guinier, pairs, fit = found.guinier, found.pairs, found.fit
    closed = fit if guinier.method == "closed_form" else None
    lines: list[Line] = [
        (f"Guinier analysis: I(0) ({found.intensity_unit})",
         plus_minus(guinier.i0, guinier.i0_error)),
        ("Guinier analysis: Rg (nm)", plus_minus(guinier.rg_nm, guinier.rg_error_nm)),
        ("Guinier analysis: q range (1/nm)",
         f"{number(guinier.q_min_per_nm, 4)} to {number(guinier.q_max_per_nm, 4)}"),
        ("Guinier analysis: q·Rg range",
         f"{number(guinier.qrg_min, 3)} to {number(guinier.qrg_max, 3)}"),
        ("Guinier analysis: points", str(guinier.stop - guinier.start)),
        ("Guinier analysis: reduced χ²", None if closed is None else number(closed.chi2, 3)),
    ]  # fmt: skip
    if pairs is not None:
        lines += [
            (f"p(r) analysis: I(0) ({found.intensity_unit})",
             plus_minus(pairs.i0, pairs.i0_error)),
            ("p(r) analysis: Rg (nm)", plus_minus(pairs.rg_nm, pairs.rg_error_nm)),
            ("p(r) analysis: Dmax (nm)", plus_minus(pairs.dmax_nm, pairs.dmax_error_nm)),
            ("p(r) analysis: q range (1/nm)",
             f"{number(pairs.q_per_nm[0], 4)} to {number(pairs.q_per_nm[-1], 4)}"),
            ("p(r) analysis: reduced χ²", number(pairs.chi2, 3)),
        ]  # fmt: skip
    else:
        lines.append(("p(r) analysis", None))
    volumes = found.invariants
    lines.append(
        ("Porod volume (nm³)",
         plus_minus(volumes.porod_volume_nm3, volumes.porod_volume_error_nm3))
    )  # fmt: skip
    if volumes.vc_nm2 is not None:
        lines.append(
            ("Volume of correlation (nm²)", plus_minus(volumes.vc_nm2, volumes.vc_error_nm2))
        )
    lines += [
        (f"Molecular mass from {method_name(mass.method)} (kDa)",
         plus_minus(mass.kda, mass.error_kda))
        for mass in found.masses
    ]  # fmt: skip
    return lines


def _damage(side: Side) -> str:
    if any(run.similarity is not None for run in side.runs):
        return "correlation map of all pairs of frames (Franke et al. 2015)"
    return NOT_RECORDED


def _exposure(side: Side) -> str | None:
    times = dict.fromkeys(run.exposure_s for run in side.runs)
    return ", ".join(number(time, 6) for time in times if time is not None) or None


def _frames(side: Side) -> str:
    named = "; ".join(spell_frames(run.kept) for run in side.runs)
    return f"{side.frames_kept} of {side.frames} ({named})"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a name that begins so for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
