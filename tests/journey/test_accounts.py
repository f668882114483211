"""The operator's commands: the first administrator, tokens, roles, hashes; a secret only once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "hsc.cli.main"]


def run(home: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "HSC_HOME": str(home)},
    )


def test_the_first_administrator_gets_a_token_once(tmp_path: Path) -> None:
    made = run(tmp_path, "catalog", "administrator", "anna")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert token.startswith("hsc_")
    assert token not in made.stderr
    listed = run(tmp_path, "token", "list", "--json")
    (known,) = json.loads(listed.stdout)["tokens"]
    assert known["subject"] == "anna"
    assert token[-43:] not in listed.stdout + listed.stderr
    roles = run(tmp_path, "account", "list", "--json")
    assert json.loads(roles.stdout) == {"roles": [{"subject": "anna", "role": "administrator"}]}
    gone = run(tmp_path, "token", "revoke", known["id"], "--json")
    assert json.loads(gone.stdout)["revoked"] is not None


def test_a_password_is_hashed_from_stdin_and_the_line_fits_the_file(tmp_path: Path) -> None:
    phrase = "correct horse battery"
    made = run(tmp_path, "account", "hash", given=f"{phrase}\n")
    assert made.returncode == 0, made.stderr
    assert phrase not in made.stdout + made.stderr
    accounts = tmp_path / "accounts.toml"
    accounts.touch(mode=0o600)
    accounts.write_text(f"[subject.anna]\n{made.stdout}")
    checked = run(tmp_path, "account", "check", str(accounts), "--json")
    assert json.loads(checked.stdout) == {"subjects": 1, "groups": 0, "passwords": 1}
    short = run(tmp_path, "account", "hash", "--json", given="sesame\n")
    assert short.returncode == 1
    assert json.loads(short.stdout)["error"] == "ConfigurationError"
    assert "sesame" not in short.stdout + short.stderr
