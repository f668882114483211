"""A real PostgreSQL on loopback, in a folder of its own, run by an account without rights."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from servers.children import Child, free_port

PACKAGES = "postgresql"
_DEBIAN = Path("/usr/lib/postgresql")
# PostgreSQL refuses to run as root; this account owns nothing.
_ACCOUNT = "nobody"


def programs() -> Path | None:
    """Give the folder with initdb and postgres; None when PostgreSQL is not installed."""
    if shutil.which("setpriv") is None:
        return None
    # Debian keeps them off the PATH, one folder for each major version.
    folders = sorted(_DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name))
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    whole = [each for each in folders if (each / "initdb").is_file()]
    return whole[-1] if whole else None


class Postgresql:
    """PostgreSQL with one account and a password of its own; use it in a ``with`` block."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="hsc-postgresql-"))
        self._data = self._folder / "data"
        self._user = _ACCOUNT if os.geteuid() == 0 else None
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self.account = "hsc"

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "server"):
            self.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        words = [
            str(self._programs / "postgres"),
            *("-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1"),
            # The machine's own loss of power is no matter here.
            *("-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=50"),
        ]
        self._log = self._folder / "server.out"
        self._said = self._log.stat().st_size if self._log.exists() else 0
        self.server = Child(words, self._log, self._user)
        self.server.wait_until(self._answers, 60)

    def end(self) -> None:
        """End the server, and the connections that it has."""
        self.server.end(signal.SIGINT)

    def url(self, database: str = "postgres") -> str:
        """Give a database's URL, with account and password."""
        return f"postgresql://{self.account}:{self.password}@127.0.0.1:{self.port}/{database}"

    def make_database(self) -> str:
        """Make a new database, and give its name."""
        name = f"hsc_{secrets.token_hex(6)}"
        self.ask(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, and end the connections that it still has."""
        self.ask(f"DROP DATABASE {name} WITH (FORCE)")

    def ask(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement, and give its rows."""
        # Not at the top: a machine without the driver skips these tests by name.
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        if b"ready to accept connections" not in self._log.read_bytes()[self._said :]:
            return False
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _make(self) -> None:
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(self.password, encoding="ascii")
        if self._user is not None:
            for path in (self._folder, password):
                shutil.chown(path, self._user)
        subprocess.run(
            [
                str(self._programs / "initdb"),
                *("-D", str(self._data), "-U", self.account, "--encoding=UTF8", "--no-locale"),
                *("--auth=scram-sha-256", f"--pwfile={password}", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=self._folder,
            user=self._user,
            extra_groups=None if self._user is None else [],
        )
        password.unlink()
