"""What a terminal shows while long work runs."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from hsc.cli.output import Bars


@pytest.mark.parametrize("unit", ["frames", "bytes"])
def test_a_bar_tells_how_far_how_fast_and_how_long_yet_on_80_columns(unit: str) -> None:
    shown = StringIO()
    with Bars(Console(file=shown, force_terminal=True, color_system=None, width=80)) as bars:
        bars.start("integrate", 3000, unit)
        for _ in range(4):
            bars.advance(250)
        bars.finish()
    last = shown.getvalue().rstrip("\x1b[?25h\n").splitlines()[-1]
    assert "1000/3000 frames" in last or "1.0/3.0 kB" in last
    assert "/s" in last
    assert last.rstrip().endswith(" left")
    assert "…" not in last


def test_where_nobody_looks_on_nothing_is_shown() -> None:
    shown = StringIO()
    with Bars(Console(file=shown, force_terminal=False)) as bars:
        bars.start("integrate", 3, "frames")
        bars.advance(3)
    assert shown.getvalue() == ""
