"""What a reduction says at its end."""

from __future__ import annotations

from typing import Any

from hsc.cli.reduce import tell_reduced
from hsc.jobs import ReducedDataset
from hsc.model import Pid


def told(capsys, files=(), **results: Any) -> tuple[str, list[str]]:
    pid = Pid.generate("hsc.local")
    tell_reduced(
        ReducedDataset(
            pid=pid, reduction="biosaxs", inputs=(), root=f"blake3:{'0' * 64}", seconds=1.5,
            results=results, files=files,
        )
    )  # fmt: skip
    return str(pid), capsys.readouterr().out.splitlines()


def test_warnings_are_told_and_the_report_is_one_command_away(capsys) -> None:
    files = ("buffer.dat", "report.html", "table.csv")
    pid, lines = told(capsys, files, rg_nm=2.0, warnings=["a frame was left out", "b"])
    opened = f'    hsc.open("{pid}")    # in Python'
    assert lines[1:] == [
        "  warning: a frame was left out",
        "  warning: b",
        "  rg_nm = 2",
        "  next:",
        f"    hsc show {pid}",
        f"    hsc files {pid} --to DIR    # report.html and 2 more; open DIR/report.html",
        opened,
    ]
    assert told(capsys, ("srcd.txt",))[1][3].endswith("--to DIR    # srcd.txt; open DIR/srcd.txt")
    assert len(told(capsys)[1]) == 4
