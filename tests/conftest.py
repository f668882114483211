"""What every test stands on: a clean environment, a state directory of its own, no silent skip."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# Read before the environment is cleared.
_REALFILES = Path(
    os.environ.get("HSC_REALFILES") or REPOSITORY.parent / "shared" / "realfiles"
).expanduser()
_REFFILES = Path(
    os.environ.get("HSC_REFFILES") or REPOSITORY.parent / "shared" / "reffiles"
).expanduser()
# A job in the background is started with Ctrl-C ignored, and so would be all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_SHORT_KILLS = 8
_KILLS = int(os.environ.get("HSC_KILLS") or _SHORT_KILLS)
_EVERY_EXPORT = os.environ.get("HSC_EXPORT") == "all"
# Read by their own files as those are collected.
_LONG_FORMS = {"HSC_KILLS", "HSC_REDUCTIONS", "HSC_SCHEMATHESIS", "HSC_SERVER_KILLS"}
_FUZZ = int(os.environ.get("HSC_FUZZ") or 90), int(os.environ.get("HSC_FUZZ_SEED") or 20261122)
_SCITACEAN_TESTS = os.environ.get("HSC_SCITACEAN_TESTS")
_EVERY_CODEC = os.environ.get("HSC_FAULTS") == "all"
_BRING_REALFILES = "HSC_REALFILES=<folder with other people's files> make tests"

# Real servers, each started when the first test asks for it (tests/servers).
pytest_plugins = ["servers.fixtures"]

# What a test that asks for a fixture is marked with; deploy/servers.sh installs what they need.
_MARKERS = {
    "chromium": pytest.mark.browser,
    "realfiles": pytest.mark.realfiles,
    "ceph": pytest.mark.s3,
    "postgresql": pytest.mark.postgresql,
    "h5diff": pytest.mark.h5diff,
    "oidc": pytest.mark.oidc,
    "ldap": pytest.mark.ldap,
}

# The base installation has tests of its own, which run elsewhere (tests/steps.sh).
collect_ignore = ["researcher"]

hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile(
    "ci", deadline=None, max_examples=200, print_blob=True, database=None
)
hypothesis.settings.register_profile("long", deadline=None, max_examples=5000)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--skipped-to", help="append each skipped test and its reason to this file")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return  # It only starts others, which read these variables in turn.
    # Nobody's own catalog, buckets or Prefect server may be reached from a test.
    for name in list(os.environ):
        if name.startswith(("HSC_", "AWS_", "PREFECT_")) and name not in _LONG_FORMS:
            del os.environ[name]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "moment" in metafunc.fixturenames:
        metafunc.parametrize("moment", range(_KILLS))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _KILLS <= _SHORT_KILLS:
        _leave_out_kills(config, items)
    for item in items:
        for name in _MARKERS.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(_MARKERS[name])


def _leave_out_kills(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep every third kill on S3: the short form, for each takes some seconds there."""
    on_s3 = [item for item in items if "test_kills.py" in item.nodeid and "[s3" in item.nodeid]
    left = set(on_s3) - set(sorted(on_s3, key=lambda item: item.nodeid)[::3])
    if left:
        config.hook.pytest_deselected(items=sorted(left, key=lambda item: item.nodeid))
        items[:] = [item for item in items if item not in left]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "fuzz" and report.when == "call":
                terminalreporter.line(f"fuzz: {value}")
    lines = [_skip_line(report) for report in terminalreporter.stats.get("skipped", [])]
    if not lines:
        return
    terminalreporter.section(f"SKIPPED, SO NOT TESTED: {len(lines)}", sep="!", red=True, bold=True)
    for line in lines:
        terminalreporter.line(line)
    if target := config.getoption("--skipped-to"):
        with Path(target).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


def _skip_line(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return f"{report.nodeid}: {reason.removeprefix('Skipped: ')}"


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clear every HSC variable and give the test a state directory of its own."""
    for name in list(os.environ):
        if name.startswith("HSC_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HSC_HOME", str(tmp_path))


@pytest.fixture(scope="session")
def every_codec() -> bool:
    """Tell whether damage is tried with every codec on S3 too (HSC_FAULTS=all)."""
    return _EVERY_CODEC


@pytest.fixture(scope="session")
def fuzz() -> tuple[int, int]:
    """Give how many damaged files to try, and the seed of their damage."""
    return _FUZZ


@pytest.fixture(scope="session")
def scitacean_tests() -> Path:
    """Give the folder of a copy of scitacean's own tests."""
    if not _SCITACEAN_TESTS:
        pytest.skip(
            "no copy of scitacean's tests was given: tests/conformance/scitacean/README.md tells "
            "how to bring one; HSC_SCITACEAN_TESTS names its folder"
        )
    return Path(_SCITACEAN_TESTS).expanduser().resolve()


@pytest.fixture(scope="session")
def every_export() -> bool:
    """Tell whether every real file is written back, not each third only."""
    return _EVERY_EXPORT


@pytest.fixture(scope="session")
def h5diff(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, Path], None]:
    """Give what holds two HDF5 files to be equal, as the HDF Group's own program sees it.

    It says nothing where that gives up on the first file held against a copy.
    """
    from independent.h5diff import GAVE_UP, PACKAGE, gives_up, h5diff, missing_program, only_empty

    if missing_program():
        pytest.skip(f"no h5diff; install {PACKAGE}, or: make servers")

    def compare(first: Path, second: Path) -> None:
        found = h5diff(first, second)
        if found[0] != GAVE_UP or not gives_up(first, tmp_path_factory.mktemp("h5diff")):
            assert found[0] == 0
            assert only_empty(found[1]), found

    return compare


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of a Chromium; tests drive it with playwright, which brings none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium; install it, or: make servers")
    return found


@pytest.fixture(scope="session")
def realfiles() -> Path:
    """Give the folder of files that other people's programs wrote."""
    if not _REALFILES.is_dir():
        pytest.skip(f"{_REALFILES} is absent; bring it and run: {_BRING_REALFILES}")
    return _REALFILES


@pytest.fixture(scope="session")
def reffiles() -> Path:
    """Give the folder of reference files: curves and reductions with known answers."""
    if not _REFFILES.is_dir():
        pytest.skip(f"{_REFFILES} is absent; name the folder of reference files in HSC_REFFILES")
    return _REFFILES
