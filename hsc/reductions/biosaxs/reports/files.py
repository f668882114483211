"""All files of a report, by their names below ``files/``."""

from __future__ import annotations

from hsc.reductions.base import Inputs
from hsc.reductions.biosaxs.chain import Chain
from hsc.reductions.biosaxs.peaks import SecSaxs
from hsc.reductions.biosaxs.reports.bundle import make_bundle
from hsc.reductions.biosaxs.reports.cif import write_sascif
from hsc.reductions.biosaxs.reports.columns import write_dat, write_pairs, write_pairs_fit
from hsc.reductions.biosaxs.reports.facts import ReportFacts, facts_of
from hsc.reductions.biosaxs.reports.guideline_files import table_csv, table_json, table_markdown
from hsc.reductions.biosaxs.reports.guidelines import guideline_rows
from hsc.reductions.biosaxs.reports.page import chain_page, elution_page
from hsc.reductions.biosaxs.tree import Labels

# What decides numbers; what draws stands in no file.
_PROGRAMS = ("pyFAI", "freesas", "scipy")


def report_files(chain: Chain, labels: Labels, inputs: Inputs) -> dict[str, bytes]:
    """Make what a user takes home; nothing, where the parameter ``report`` is false.

    Parameters
    ----------
    chain
        Averages, difference and analysis.
    labels
        Sample, instrument, parameters, reduction.
    inputs
        The datasets, for their PIDs.
    """
    if not labels.parameters.get("report", True):
        return {}
    facts = facts_of(inputs, labels, _PROGRAMS)
    return {**chain_files(chain, facts), **chain_page(chain, facts)}


def elution_files(found: SecSaxs, labels: Labels, inputs: Inputs) -> dict[str, bytes]:
    """Make what a user takes home of an elution: the files of each peak, by its number."""
    if not labels.parameters.get("report", True):
        return {}
    facts = facts_of(inputs, labels, _PROGRAMS)
    files = {
        f"peak_{number}/{name}": data
        for number, peak in enumerate(found.peaks, start=1)
        for name, data in chain_files(peak.chain, facts).items()
    }
    return {**files, **elution_page(found, facts)}


def chain_files(chain: Chain, facts: ReportFacts) -> dict[str, bytes]:
    """Make the files of one chain."""
    unit = chain.analysis.intensity_unit
    files = {
        "subtracted.dat": write_dat(
            chain.curve, facts, what="sample less buffer", intensity_unit=unit
        )
    }
    for side in (chain.sample, chain.buffer):
        what = f"{side.name}, average of {side.frames_kept} frames"
        files[f"{side.name}.dat"] = write_dat(
            side.curve, facts, what=what, intensity_unit=unit, roles=(side.name,)
        )
    if chain.analysis.pairs is not None:
        files["pr.txt"] = write_pairs(chain.analysis.pairs, facts)
        files["pr_fit.txt"] = write_pairs_fit(chain.analysis.pairs, chain.curve, facts)
    rows = guideline_rows(chain, facts)
    files = {
        **files,
        "curve.sascif": write_sascif(chain, facts),
        "table.csv": table_csv(rows),
        "table.json": table_json(rows),
        "table.md": table_markdown(rows),
    }
    return {**files, "sasbdb.zip": make_bundle(files, facts)}
