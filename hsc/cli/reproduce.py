"""``hsc reproduce PID``: a recorded reduction once more, compared with what it gave then."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json, Workers
from hsc.cli.output import Bars, answer, json_wanted, show_table
from hsc.jobs import Reproduction
from hsc.model import Pid
from hsc.reading import Difference


def reproduce(
    pid: Annotated[str, typer.Argument(help="PID of a derived dataset, with @n for version n.")],
    keep: Annotated[
        Path | None, typer.Option(help="A new folder for what is made; by default it is removed.")
    ] = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Replay the reduction that a dataset came of; a difference is exit 1.

    Nothing is registered. The verdict is `identical` (every byte), `within_1_ulp` (no value further
    off than the next floating-point number) or `different`, with the first difference.
    """
    with Bars() as bars:
        found = jobs.reproduce(
            jobs.ReproduceRequest(
                pid=Pid.parse(pid), keep=None if keep is None else str(keep), workers=workers
            ),
            progress=bars,
        )
    _tell(found)
    if found.verdict == "different":
        raise typer.Exit(1)


def _tell(found: Reproduction) -> None:
    if json_wanted():
        answer(found.document(), "")
        return
    lines = [f"{found.verdict}: {found.pid}, {found.reduction}, {found.seconds} s"]
    if found.left_out:
        own = next(each for each in found.versions if each.name == f"reduction {found.reduction}")
        lines.append(
            f"  it was made by version {own.recorded} of {found.reduction}, and {own.now} is "
            f"installed: {', '.join(found.left_out)} is not compared"
        )
    if found.first_difference is not None:
        lines.append(f"  first difference: {_word(found.first_difference)}")
    elif found.verdict == "within_1_ulp" and found.largest_difference is None:
        but = "every other value" if found.left_out else "every value"
        lines.append(f"  {but} is the same; it is stored in other bytes")
    if found.largest_difference is not None:
        lines.append(f"  largest difference of floats: {_word(found.largest_difference)}")
    if found.kept is not None:
        lines.append(f"  made now: {found.kept}")
    answer(None, "\n".join(lines))
    if found.versions:
        rows = [(each.name, each.recorded or "-", each.now or "-") for each in found.versions]
        show_table("not as recorded", ("what", "recorded", "now"), rows)
    else:
        answer(None, "  code and processor are as recorded")


def _word(found: Difference) -> str:
    place = found.path or f"files/{found.file}"
    if found.index:
        place += f"[{', '.join(map(str, found.index))}]"
    name = f" {found.name}" if found.name else ""
    ulps = f", {found.ulps} ulp" if found.ulps is not None else ""
    return f"{place}: {found.what}{name}: {found.recorded!r} then, {found.now!r} now{ulps}"
