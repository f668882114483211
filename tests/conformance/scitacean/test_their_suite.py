"""scitacean's own tests, unchanged, against our server, where a copy of them is given."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SUITES = ("client", "upload_test.py", "download_test.py")
AT_LEAST = 99


def test_their_suite_passes_with_its_query_tests_unskipped(
    scitacean_tests: Path, tmp_path: Path
) -> None:
    if find_spec("paramiko") is None:
        pytest.skip("scitacean's tests need paramiko: pip install paramiko")
    folder = scitacean_tests
    path = f"{HERE / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", "-q", "-rfEs", "-p", "unskip", "-p", "no:cacheprovider"),
            *("--backend-tests", "--hypothesis-profile=scitacean"),
            *("-o", "addopts=", "-o", "filterwarnings=ignore::UserWarning"),
            *(str(folder / suite) for suite in SUITES),
        ],
        cwd=folder.parent,
        env={
            **os.environ,
            "PATH": path,
            "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
            "HSC_CONFORMANCE_STATE": str(tmp_path),
            "HSC_CONFORMANCE_PYTHON": sys.executable,
        },
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|errors?)", done.stdout)}
    assert counts.get("passed", 0) >= AT_LEAST, done.stdout[:9000] + done.stderr[-2000:]
    assert set(counts) == {"passed"}, done.stdout[-5000:]
