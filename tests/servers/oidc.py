"""A real OpenID Connect provider (node's oidc-provider) on loopback, with keys that tests know."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from joserfc.jwk import ECKey, KeySet, RSAKey

from servers.children import Child, free_port

PACKAGES = "nodejs npm"
_HERE = Path(__file__).parent / "oidc_provider"
_INSTALL_S = 90


def missing_programs() -> list[str]:
    """List what is not installed."""
    return [name for name in ("node", "npm", "setpriv") if shutil.which(name) is None]


def install(cache: Path | None = None) -> Path:
    """Give a folder with the provider and its packages, installed at first.

    The lock file has the digest of each, and no package's own program runs.
    """
    lock = (_HERE / "package-lock.json").read_bytes()
    root = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "hsc-tests" / f"oidc-provider-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_HERE / name, made)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=made,
            check=True,
            capture_output=True,
            timeout=_INSTALL_S,
        )
        try:
            made.rename(folder)
        except OSError:  # another worker was first
            shutil.rmtree(made)
    # Beside the packages: node looks for them from where a program is.
    shutil.copy(_HERE / "provider.mjs", folder)
    return folder


@dataclass(frozen=True)
class Client:
    """An account of the provider that gets tokens by its secret."""

    id: str
    claims: dict[str, Any] = field(default_factory=dict)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


class OidcProvider:
    """The provider, with keys made here; use it in a ``with`` block."""

    def __init__(self, folder: Path, clients: list[Client], algorithm: str = "RS256") -> None:
        self._program = folder / "provider.mjs"
        self._folder = Path(tempfile.mkdtemp(prefix="hsc-oidc-"))
        self._clients = {client.id: client for client in clients}
        self.algorithm = algorithm
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.keys = KeySet([self.new_key()])
        self.starts = 0

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "server"):
            self.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_key(self) -> RSAKey | ECKey:
        """Make a signing key that nobody else has."""
        about: Any = {"kid": secrets.token_hex(6), "use": "sig", "alg": self.algorithm}
        if self.algorithm.startswith("ES"):
            return ECKey.generate_key("P-256", about)
        return RSAKey.generate_key(2048, about)

    def rotate(self) -> None:
        """Sign with a new key from now on, and show the old one no more."""
        self.keys = KeySet([self.new_key()])
        self.end()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.starts += 1
        told = {
            "issuer": self.issuer,
            "port": self.port,
            "algorithm": self.algorithm,
            "jwks": self.keys.as_dict(private=True),
            "cookie_key": secrets.token_hex(16),
            "lasts_s": 600,
            "clients": [vars(client) for client in self._clients.values()],
        }
        log = self._folder / f"provider-{self.starts}.out"
        # By stdin: the arguments of a program are seen by everybody on the machine.
        asked = self._folder / "told.json"
        asked.touch(mode=0o600)
        asked.write_text(json.dumps(told), encoding="utf-8")
        self.server = Child(["node", str(self._program)], log, given=asked)
        self.server.wait_until(lambda: b"ready" in log.read_bytes(), 30)
        asked.unlink()

    def end(self) -> None:
        """End it."""
        self.server.end()

    def token(self, client: str, audience: str) -> str:
        """Give the access token that the provider gives a client for an audience."""
        secret = self._clients[client].secret
        form = {"grant_type": "client_credentials", "resource": audience, "scope": "hsc"}
        request = urllib.request.Request(  # noqa: S310 (our own URL)
            f"{self.issuer}/token",
            urllib.parse.urlencode(form).encode(),
            {"Authorization": f"Basic {b64encode(f'{client}:{secret}'.encode()).decode()}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (as above)
            return str(json.load(answer)["access_token"])
