"""What SASBDB is given, as one zip with the same bytes each time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from hsc.reductions.biosaxs.reports.facts import ReportFacts

# The first moment that a zip knows: entries hold no time of their own.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16

_TOLD = {
    "subtracted.dat": "the curve to deposit: sample less buffer; q, I, error",
    "sample.dat": "average of the sample's frames; q, I, error",
    "buffer.dat": "average of the buffer's frames; q, I, error",
    "pr.txt": "p(r): r, p, error; by Bayesian indirect transformation, no output of GNOM",
    "pr_fit.txt": "the points that p(r) was fitted to: q, I, error, I of p(r)",
    "curve.sascif": "curve, p(r) and results as sasCIF (q in 1/nm, lengths in nm, masses in kDa)",
    "table.csv": "what the publication guidelines of 2017 and 2023 ask, as far as it is recorded",
    "table.md": "the same, to read",
}

_ASKED = (
    "project: title, authors, publication, whether it is to be public at once",
    "each molecule: name, type, organism, sequence (FASTA) or UniProt code, how many of it",
    "buffer: composition, pH, additives; concentration of the sample",
    "instrument and experiment: beamline, temperature of cell and storage, date",
    "models and fits to the curve, where there are any",
)


def make_bundle(files: Mapping[str, bytes], facts: ReportFacts) -> bytes:
    """Pack what SASBDB is given, in the order of the README.

    Parameters
    ----------
    files
        The report's files by name; what is not for SASBDB is left out.
    facts
        What the README says.
    """
    inside = {name: files[name] for name in _TOLD if name in files}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in {"README.txt": _readme(tuple(inside), facts), **inside}.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            # The system that a zip names would be that of this machine.
            entry.create_system = 3
            entry.external_attr = _MODE
            bundle.writestr(entry, data)
    return made.getvalue()


def _readme(names: tuple[str, ...], facts: ReportFacts) -> bytes:
    width = max(len(name) for name in names)
    lines = [
        f"For SASBDB (https://www.sasbdb.org): {facts.sample}",
        "",
        *(f"{name:<{width}}  {_TOLD[name]}" for name in names),
        "",
        "Made of:",
        *(f"  {one.role} {one.pid} ({' '.join(one.title.split())})" for one in facts.inputs),
        f"by {facts.program}.",
        "",
        f"q in the columns is in {facts.q_unit}; SASBDB asks for the unit when it is submitted.",
        "SASBDB takes it by its form on the web, and still asks for what is not recorded here:",
        *(f"  - {text}" for text in _ASKED),
    ]
    return ("\n".join(lines) + "\n").encode()
