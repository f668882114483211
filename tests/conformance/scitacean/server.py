"""Serves an empty catalog to SciCat's clients: ``python server.py PORT FOLDER ACCOUNTS``.

ACCOUNTS is what scitacean's own test kit writes for a SciCat: a JSON list of functional accounts.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import uvicorn

from hsc_catalog.app import create_app
from hsc_catalog.faces.scicat import ScicatFace, Site
from hsc_catalog.identity import AccountsFile, PasswordHash, Sources, TokenSource, authenticate
from hsc_catalog.sql import open_database

PID_PREFIX = "PID.prefix.a0b1"
CHEAP = 10  # scrypt's cost: 1 MiB; these passwords are published anyway


def write_accounts(listed: list[dict[str, str]], path: Path) -> None:
    """Write functional accounts as an accounts file of ours."""
    lines = []
    for each in listed:
        password = PasswordHash.of(each["password"], log_n=CHEAP)
        roles = ["ingestor"] if each["role"] == "ingestor" else []
        lines += [
            f"[subject.{json.dumps(each['username'])}]",
            f"groups = {json.dumps([each['role']])}",
            f"roles = {json.dumps(roles)}",
            f"password = {json.dumps(str(password))}",
        ]
    path.touch(0o600)
    path.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    """Serve until ended."""
    port, folder, accounts = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    write_accounts(json.loads(accounts.read_text("utf-8")), folder / "accounts.toml")
    file = AccountsFile(folder / "accounts.toml")
    database = open_database(f"sqlite:///{folder}/catalog.sqlite", 30)
    sources = Sources(
        database=database,
        bearers=(TokenSource(database),),
        groups=(file,),
        passwords=(file,),
    )
    site = Site("scitacean", PID_PREFIX, f"http://127.0.0.1:{port}/api")
    app = create_app(
        database,
        authenticate=partial(authenticate, sources=sources),
        scicat=ScicatFace(site, sources),
    )
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
