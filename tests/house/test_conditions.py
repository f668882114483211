"""What tests/conftest.py promises every test."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError

from hsc import settings


def test_the_state_directory_is_the_tests_own(tmp_path: Path) -> None:
    assert settings.home() == tmp_path
    assert settings.store_url() == f"file://{tmp_path}/store"


def test_nothing_of_the_shell_reaches_a_test() -> None:
    assert [name for name in os.environ if name.startswith(("HSC_", "AWS_"))] == ["HSC_HOME"]
    assert "PREFECT_API_URL" not in os.environ


def test_no_socket_leaves_this_machine() -> None:
    # 192.0.2.0/24 is kept for documentation (RFC 5737): nobody answers there.
    with socket.socket() as outward:
        outward.settimeout(1)
        with pytest.warns(UserWarning, match="192.0.2.1"), pytest.raises(SocketConnectBlockedError):
            outward.connect(("192.0.2.1", 80))
