"""Times ``hsc inspect`` of a small file as a user meets it: a new process, bytecode cached."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hsc_benchmarks.rounds import Arm, summarise, time_rounds
from hsc_benchmarks.small import write_small_arrays

_ARRAYS = 20
_WORDS = {
    "python": "python -c 'import h5py, numpy'",
    "hsc": "hsc inspect small.h5",
}


def measure_inspect(
    *, frames: int, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Time the command from its start to its end, beside what no such command can do without.

    Parameters
    ----------
    frames
        Takes no part.
    rounds
        How often each arm is timed.
    folder
        Where the file goes; None: the temporary folder.
    say
        Hears how far it is.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as made:
        path = write_small_arrays(Path(made) / "small.h5", _ARRAYS)
        commands = {
            "python": [sys.executable, "-c", "import h5py, numpy"],
            "hsc": [sys.executable, "-m", "hsc.cli.main", "inspect", str(path)],
        }
        arms = {name: Arm(lambda: None, _running(words)) for name, words in commands.items()}
        times = time_rounds(arms, rounds, say)
        nbytes = path.stat().st_size
    rows = summarise(times, nbytes, floor="python")
    for row in rows:
        row["what"] = _WORDS[row["arm"]]
    return {"source": {"arrays": _ARRAYS, "file_bytes": nbytes}, "rounds": rounds, "arms": rows}


def _running(words: list[str]) -> Callable[[], None]:
    def run() -> None:
        subprocess.run(words, check=True, capture_output=True)

    return run
