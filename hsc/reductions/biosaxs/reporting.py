"""Whether a reduction gives files to take home, and in what unit of q."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from hsc.model import Record

QUnit = Literal["1/nm", "1/angstrom"]
"""What q is in, in files for other programs."""

PER_NM: Mapping[QUnit, float] = {"1/nm": 1.0, "1/angstrom": 0.1}
"""q in that unit over q in 1/nm."""


class ReportParameters(Record):
    """Which files a reduction gives to take home."""

    report: bool = True
    """Whether files are made for users: columns, sasCIF, tables, a page with plots."""
    report_q_unit: QUnit = Field(default="1/nm")
    """Unit of q in the columns: 1/nm as at P12 and in SASBDB, or 1/angstrom."""
