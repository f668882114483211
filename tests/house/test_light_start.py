"""The base installation starts fast, and on every system."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

UNIX_ONLY = {
    "fcntl", "grp", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty",
}  # fmt: skip
HEAVY = {
    "dask", "distributed", "matplotlib", "numba", "pint", "prefect", "pyFAI", "sqlalchemy", "ssl",
    "xarray", "zarr",
}  # fmt: skip
INSPECT_HELP = """
from hsc.cli.main import main
sys.argv = ["hsc", "inspect", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
INSPECT_SMALL = """
import contextlib, io, pathlib, tempfile
import h5py, hdf5plugin, numpy
from hsc.cli.main import main
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "small.h5")
    with h5py.File(path, "w") as file:
        file["scalar"] = 1.5
        file["text"] = ["a", "b"]
        file.create_dataset("frames", data=numpy.ones((2, 64, 64), "u2"), chunks=(1, 64, 64),
                            **hdf5plugin.Bitshuffle(cname="lz4"))
    sys.argv = ["hsc", "inspect", str(path)]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            main()
        except SystemExit as end:
            assert not end.code, end.code
assert "frames" in said.getvalue(), said.getvalue()
"""


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when a module is imported, so not into functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _run_at_import(child)


def test_base_modules_import_nothing_that_windows_or_macos_lacks(
    modules: dict[str, ast.Module],
) -> None:
    found = []
    for module, tree in modules.items():
        if not module.startswith(("hsc.", "hsc_catalog.")):
            continue
        for node in _run_at_import(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            found += [f"{module} imports {name}" for name in names if name in UNIX_ONLY]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "statements",
    ["import hsc", INSPECT_HELP, INSPECT_SMALL],
    ids=["import hsc", "hsc inspect --help", "hsc inspect small.h5"],
)
def test_nothing_heavy_is_loaded_for(statements: str) -> None:
    report = "\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{statements}{report}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = {name.split(".")[0] for name in json.loads(answer.stdout.splitlines()[-1])}
    assert "hsc" in loaded
    heavy = sorted(loaded & HEAVY)
    assert not heavy, ", ".join(heavy)


def test_work_in_threads_loads_no_distributed() -> None:
    answer = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nfrom hsc.workers import ThreadWorkers\n"
            "print(ThreadWorkers(2).map(abs, [-1, -2]), 'distributed' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert answer.stdout.strip() == "[1, 2] False"
