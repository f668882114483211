"""The table that the publication guidelines ask for, filled with what is known.

J. Trewhella and others, Acta Cryst. D73 (2017) 710, doi:10.1107/S2059798317011597, table 1, and
their update, Acta Cryst. D79 (2023) 122, doi:10.1107/S2059798322012141. All its parts are here,
(a) sample details to (g) data-bank identifiers, in its order, with a line for everything that is
asked; some of hsc's own stand between. What is not known is said to be ``not recorded``, and of
models that none was made. (The wording is from memory: the paper was not at hand.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsc.reductions.biosaxs.analysis import Analysis
from hsc.reductions.biosaxs.chain import Chain
from hsc.reductions.biosaxs.choosing import spell_frames
from hsc.reductions.biosaxs.invariants import MassParameters, contrast_cm_per_g
from hsc.reductions.biosaxs.reports.facts import NOT_RECORDED, ReportFacts
from hsc.reductions.biosaxs.reports.wording import method_name, number, plus_minus
from hsc.reductions.biosaxs.runs import Side

CITED = "Trewhella et al. 2017, doi:10.1107/S2059798317011597; 2023, doi:10.1107/S2059798322012141"
"""What the table is after."""
NO_MODEL = "none made by hsc"
"""What stands where the guidelines ask of models."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    part: str
    """``a`` to ``g``, as in the guidelines."""
    name: str
    """What is asked for, with its unit."""
    value: str
    """What is known, as people read it; ``not recorded`` otherwise."""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value not in {NOT_RECORDED, NO_MODEL}


PARTS = {
    "a": "Sample details",
    "b": "SAS data-collection parameters",
    "c": "Software employed for SAS data reduction, analysis and interpretation",
    "d": "Structural parameters",
    "e": "Shape model-fitting results",
    "f": "Atomistic modelling",
    "g": "Data bank identifiers for data and models",
}
"""The parts by their letters."""

Line = tuple[str, str | None]
"""What is asked for, and what is known; None: nothing."""


def guideline_rows(chain: Chain, facts: ReportFacts) -> tuple[Row, ...]:
    """Give all lines of the table, part by part; which there are hangs on the reduction alone."""
    parts: dict[str, list[Line]] = {
        "a": _sample(facts),
        "b": _collection(chain, facts),
        "c": _software(chain, facts),
        "d": [*_guinier(chain.analysis), *_pairs(chain.analysis), *_volumes(chain.analysis)],
        "e": [("Shape model", NO_MODEL)],
        "f": [("Atomistic model", NO_MODEL)],
        "g": [("SASBDB code of the data", None), ("SASBDB or PDB-Dev code of models", NO_MODEL)],
    }
    return tuple(
        Row(part, name, value or NOT_RECORDED)
        for part, lines in parts.items()
        for name, value in lines
    )


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
    loaded = facts.labels.name == "sec_saxs"  # and thinned out on its way
    known = None if concentration is None else number(concentration, 4)
    return [
        ("Sample", facts.labels.sample_name),
        ("Organism", None),
        ("Source (catalogue number or reference)", None),
        ("UniProt sequence ID (residues in construct)", None),
        ("Extinction coefficient at 280 nm, 0.1 % (w/v)", None),
        ("Partial specific volume (cm³/g), as given to the reduction",
         number(protein.partial_specific_volume_cm3_per_g, 4)),
        ("Contrast Δρ per gram (10¹⁰ cm/g), from the parameters", number(contrast / 1e10, 4)),
        ("Molecular mass from chemical composition (kDa)", None),
        *(_separation(known) if loaded else []),
        ("Concentration (g/L)", None if loaded else known),
        ("Concentration: how it was measured", None),
        ("Solvent composition and source", None),
    ]  # fmt: skip


def _separation(loaded_g_per_l: str | None) -> list[Line]:
    return [
        ("SEC column", None),
        ("Loading concentration (g/L)", loaded_g_per_l),
        ("Injection volume (µL)", None),
        ("Flow rate (mL/min)", None),
    ]


def _collection(chain: Chain, facts: ReportFacts) -> list[Line]:
    geometry, curve = chain.sample.runs[0].stack.binning.geometry, chain.curve
    scale = chain.scale
    inputs = [f"{one.role} {one.pid}" for one in facts.inputs]
    return [
        ("Source, instrument", facts.labels.instrument),
        ("Detector", geometry.detector_name),
        ("Wavelength (nm)", number(geometry.wavelength_m * 1e9, 6)),
        ("Beam size (µm)", None),
        ("Camera length (m)", number(geometry.distance_m, 6)),
        ("q range measured (1/nm)",
         f"{number(curve.q_per_nm[0], 4)} to {number(curve.q_per_nm[-1], 4)}"),
        ("Absolute scaling method",
         "none" if scale is None
         else f"{scale.standard.replace('_', ' ')}, factor "
              f"{plus_minus(scale.factor, scale.factor_error)}"),
        ("Intensity unit", chain.analysis.intensity_unit),
        ("Basis for normalisation to constant counts", _normalisation(chain, facts)),
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
        ("Extinction coefficient estimate", None),
        ("Calculation of contrast and partial specific volume", f"{facts.program}; parameters"),
        ("Basic analyses: Guinier",
         f"{facts.program}; {method_name(chain.analysis.guinier.method)}"),
        ("Basic analyses: p(r)", None if chain.analysis.pairs is None else named("freesas")),
        ("Basic analyses: volumes and masses", named("freesas")),
        ("Shape or bead modelling", NO_MODEL),
        ("Atomic structure modelling", NO_MODEL),
        ("Modelling of missing sequence", NO_MODEL),
        ("Molecular graphics", NO_MODEL),
    ]  # fmt: skip


def _guinier(found: Analysis) -> list[Line]:
    guinier = found.guinier
    closed = found.fit if guinier.method == "closed_form" else None
    return [
        (f"Guinier analysis: I(0) ({found.intensity_unit})",
         plus_minus(guinier.i0, guinier.i0_error)),
        ("Guinier analysis: Rg (nm)", plus_minus(guinier.rg_nm, guinier.rg_error_nm)),
        ("Guinier analysis: q range (1/nm)",
         f"{number(guinier.q_min_per_nm, 4)} to {number(guinier.q_max_per_nm, 4)}"),
        ("Guinier analysis: q·Rg range",
         f"{number(guinier.qrg_min, 3)} to {number(guinier.qrg_max, 3)}"),
        ("Guinier analysis: points", str(guinier.stop - guinier.start)),
        ("Guinier analysis: coefficient of correlation R²", _correlation(found)),
        ("Guinier analysis: reduced χ²", None if closed is None else number(closed.chi2, 3)),
    ]  # fmt: skip


def _correlation(found: Analysis) -> str | None:
    """Give R² of ln I against q² over the range, each point alike."""
    some = found.curve.at(slice(found.guinier.start, found.guinier.stop))
    some = some.at(some.intensity > 0)
    if len(some.q_per_nm) < 3:
        return None
    return number(float(np.corrcoef(some.q_per_nm**2, np.log(some.intensity))[0, 1]) ** 2, 4)


def _pairs(found: Analysis) -> list[Line]:
    pairs = found.pairs
    names = (f"I(0) ({found.intensity_unit})", "Rg (nm)", "Dmax (nm)", "q range (1/nm)",
             "reduced χ²")  # fmt: skip
    values: tuple[str | None, ...] = (None,) * len(names) if pairs is None else (
        plus_minus(pairs.i0, pairs.i0_error), plus_minus(pairs.rg_nm, pairs.rg_error_nm),
        plus_minus(pairs.dmax_nm, pairs.dmax_error_nm),
        f"{number(pairs.q_per_nm[0], 4)} to {number(pairs.q_per_nm[-1], 4)}",
        number(pairs.chi2, 3),
    )  # fmt: skip
    return [(f"p(r) analysis: {name}", value) for name, value in zip(names, values, strict=True)]


def _volumes(found: Analysis) -> list[Line]:
    volumes, masses = found.invariants, {one.method: one for one in found.masses}

    def mass(method: str) -> str | None:
        one = masses.get(method)
        return None if one is None else plus_minus(one.kda, one.error_kda)

    return [
        ("Porod volume (nm³)", None if volumes.porod_volume_nm3 is None
         else plus_minus(volumes.porod_volume_nm3, volumes.porod_volume_error_nm3)),
        ("Volume of correlation (nm²)", None if volumes.vc_nm2 is None
         else plus_minus(volumes.vc_nm2, volumes.vc_error_nm2)),
        ("Molecular mass from I(0) (kDa)", mass("absolute_intensity")),
        ("Molecular mass from Porod volume (kDa)", mass("porod_volume")),
        ("Molecular mass from volume of correlation (kDa)", mass("volume_of_correlation")),
        ("Ratio of masses to that from chemical composition", None),
    ]  # fmt: skip


def _normalisation(chain: Chain, facts: ReportFacts) -> str:
    timed = chain.sample.runs[0].exposure_s is not None
    found = ["monitor of each frame"] if facts.parameter("monitor") else []
    found += ["exposure time"] if timed else []
    if chain.sample.transmission is not None:
        found.append("transmission")
    return " and ".join(found) or "none: intensities are per frame"


def _damage(side: Side) -> str | None:
    if any(run.similarity is not None for run in side.runs):
        return "correlation map of all pairs of frames (Franke et al. 2015)"
    return None


def _exposure(side: Side) -> str | None:
    times = dict.fromkeys(run.exposure_s for run in side.runs)
    return ", ".join(number(time, 4) for time in times if time is not None) or None


def _frames(side: Side) -> str:
    named = "; ".join(spell_frames(run.kept) for run in side.runs)
    return f"{side.frames_kept} of {side.frames} ({named})"
