"""Three columns q, I, σ under a header: the .dat files that ATSAS, RAW and SASBDB read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.pairs import PairDistances
from hsc.reductions.biosaxs.reporting import PER_NM
from hsc.reductions.biosaxs.reports.facts import ReportFacts

_FIGURES = 9


def write_dat(
    curve: Curve, facts: ReportFacts, *, what: str, intensity_unit: str, roles: Sequence[str] = ()
) -> bytes:
    """Write a curve as columns q, I and σ, with the unit of q in the header.

    Parameters
    ----------
    curve
        The curve.
    facts
        What the header says, and the unit of q.
    what
        What the curve is, in a few words.
    intensity_unit
        ``arbitrary`` or ``1/cm``.
    roles
        Inputs that it came from; none: all.
    """
    header = {
        "Sample": facts.sample,
        "Curve": what,
        "Instrument": facts.instrument,
        **_inputs(facts, roles),
        "Program": facts.program,
        "Unit of q": facts.q_unit,
        "Unit of I and error": intensity_unit,
        "q": "4 pi sin(theta) / wavelength, 2 theta the scattering angle",
        "Columns": f"q ({facts.q_unit}), I, error (one standard deviation)",
    }
    scale = PER_NM[facts.q_unit]
    return _text(header, [curve.q_per_nm * scale, curve.intensity, curve.error])


def read_dat(data: bytes) -> tuple[Curve, dict[str, str]]:
    """Read what `write_dat` wrote; q comes back in 1/nm.

    Returns
    -------
    The curve, and the header's lines by their names.

    Raises
    ------
    ReductionError
        These are no three columns, or the unit of q is not said.
    """
    header: dict[str, str] = {}
    rows: list[list[float]] = []
    for number, line in enumerate(data.decode("utf-8").splitlines(), start=1):
        if line.startswith("#"):
            name, colon, value = line[1:].partition(":")
            if colon:
                header[name.strip()] = value.strip()
            continue
        try:
            row = [float(field) for field in line.split()]
        except ValueError:
            row = []
        if len(row) != 3:
            raise ReductionError(
                f"line {number} is {line[:80]!r}; three numbers q, I and error are needed"
            )
        rows.append(row)
    said = header.get("Unit of q")
    known = [scale for unit, scale in PER_NM.items() if unit == said]
    if not known:
        raise ReductionError(
            f"the unit of q is {said!r}", next_step="a line says it: # Unit of q: 1/nm"
        )
    q, intensity, error = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    return Curve(q / known[0], intensity, error), header


def write_pairs(pairs: PairDistances, facts: ReportFacts) -> bytes:
    """Write p(r) as columns r, p and σ."""
    scale = PER_NM[facts.q_unit]
    unit = "nm" if facts.q_unit == "1/nm" else "angstrom"
    dmax, dmax_error = pairs.dmax_nm / scale, pairs.dmax_error_nm / scale
    rg, rg_error = pairs.rg_nm / scale, pairs.rg_error_nm / scale
    header = {
        "Sample": facts.sample,
        "Distribution": "p(r), averaged over models by their probability",
        "Method": "Bayesian indirect Fourier transformation (Hansen 2000), by freesas",
        "Normalisation": "I(q) = 4 pi integral p(r) sin(q r) / (q r) dr",
        "Dmax": f"{dmax:.6g} +- {dmax_error:.2g} {unit}",
        "Rg": f"{rg:.6g} +- {rg_error:.2g} {unit}",
        "I(0)": f"{pairs.i0:.6g} +- {pairs.i0_error:.2g}",
        "Reduced chi squared": f"{pairs.chi2:.4g}",
        "Program": facts.program,
        "Unit of r": unit,
        "Columns": f"r ({unit}), p(r), error (one standard deviation)",
    }
    # p is a density over r: with r in other units its integral over r stays the same.
    return _text(header, [pairs.r_nm / scale, pairs.p * scale, pairs.p_error * scale])


def write_pairs_fit(pairs: PairDistances, curve: Curve, facts: ReportFacts) -> bytes:
    """Write the points that p(r) was fitted to, with its own intensity: q, I, σ, I of p(r)."""
    some = curve.at(np.isin(curve.q_per_nm, pairs.q_per_nm))
    header = {
        "Sample": facts.sample,
        "Curve": "intensity of p(r) beside the measured one",
        "Program": facts.program,
        "Unit of q": facts.q_unit,
        "Columns": f"q ({facts.q_unit}), I, error (one standard deviation), I of p(r)",
    }
    q = some.q_per_nm * PER_NM[facts.q_unit]
    return _text(header, [q, some.intensity, some.error, pairs.intensity])


def _inputs(facts: ReportFacts, roles: Sequence[str]) -> dict[str, str]:
    """Give one line for each role: its datasets by PID."""
    named = [one for one in facts.inputs if not roles or one.role in roles]
    found: dict[str, list[str]] = {}
    for one in named:
        found.setdefault(f"Input {one.role}", []).append(one.pid)
    return {role: ", ".join(pids) for role, pids in found.items()}


def _text(header: Mapping[str, str], columns: Iterable[NDArray[np.float64]]) -> bytes:
    lines = [f"# {name}: {' '.join(value.split())}" for name, value in header.items()]
    lines += [
        " ".join(f"{value: .{_FIGURES}e}" for value in row) for row in np.column_stack([*columns])
    ]
    return ("\n".join(lines) + "\n").encode()
