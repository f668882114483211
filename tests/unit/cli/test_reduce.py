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


def test_numbers_are_told_and_what_is_unknown_is_not(capsys) -> None:
    pid, lines = told(capsys, rg_nm=2.478712345, absolute_factor=None, bins=500)
    assert lines == [f"{pid}  biosaxs, 1.5 s", "  rg_nm = 2.47871", "  bins = 500"]


def test_peaks_stand_below_each_other(capsys) -> None:
    _, lines = told(capsys, rg_nm=3.9, peaks=[{"rg_nm": 3.9, "dmax_nm": None}, {"rg_nm": 1.9}])
    assert lines[1:] == [
        "  rg_nm = 3.9", "  peaks 1", "    rg_nm = 3.9", "  peaks 2", "    rg_nm = 1.9",
    ]  # fmt: skip


def test_warnings_are_sentences_and_the_report_is_one_command_away(capsys) -> None:
    files = ("buffer.dat", "report.html", "table.csv")
    pid, lines = told(capsys, files, rg_nm=2.0, warnings=["a frame was left out", "b"])
    assert lines[2:] == [
        "  look: a frame was left out",
        "  look: b",
        "  report.html and 2 more files:",
        f"    hsc fetch {pid} DIR --select files      then open DIR/files/report.html",
    ]
    assert told(capsys, ("srcd.txt",))[1][1] == "  srcd.txt:"
    assert told(capsys)[1][1:] == []
