"""What serve.toml says: where to listen, who says who is who, and limits."""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError, with_config

from hsc.errors import ConfigurationError
from hsc_catalog.identity.directory import Directory
from hsc_catalog.identity.limits import OBJECTS, Rate
from hsc_catalog.identity.oidc_provider import OidcProvider
from hsc_catalog.identity.settings_form import FORM


@with_config(FORM)
@dataclass(frozen=True)
class LimitSettings:
    """How much and how often anybody may ask; ``[limits]`` in serve.toml."""

    caller_per_s: float = 50.0
    """Requests of one signed-in caller each second, for as long as they like."""
    caller_burst: float = 500.0
    """Requests of one signed-in caller at once."""
    address_per_s: float = 100.0
    """Requests from one address each second, whoever they are from."""
    address_burst: float = 1000.0
    """Requests from one address at once."""
    objects_per_s: float = OBJECTS.per_s
    """Ranges of objects that one caller, or one address, reads each second; counted apart."""
    objects_burst: float = OBJECTS.burst
    """Ranges of objects that one caller, or one address, reads at once."""
    body_bytes: int = 16 * 2**20
    """Bytes of one request's body; imports are streamed and not counted here."""
    import_bytes: int = 16 * 2**30
    """Bytes of one import."""
    json_depth: int = 64
    """How deep objects and lists may lie in each other."""

    @property
    def caller(self) -> Rate:
        """The rate of one caller."""
        return Rate(self.caller_burst, self.caller_per_s)

    @property
    def address(self) -> Rate:
        """The rate of one address."""
        return Rate(self.address_burst, self.address_per_s)

    @property
    def objects(self) -> Rate:
        """The rate of reading objects."""
        return Rate(self.objects_burst, self.objects_per_s)

    def __post_init__(self) -> None:
        if not all(value > 0 for value in vars(self).values()):
            raise ConfigurationError("a limit is not above zero", where="limits")


@with_config(FORM)
@dataclass(frozen=True)
class ServeSettings:
    """What a served catalog is told; there are no secrets in it, and none by default."""

    host: str = "127.0.0.1"
    """Address to listen on: this machine alone, unless told otherwise."""
    port: int = 8000
    """Port to listen on."""
    public_url: str | None = None
    """How the outside calls this server; None: as each request does."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of proxies whose ``X-Forwarded-For`` is believed."""
    accounts: Path | None = None
    """The accounts file; None: there is none."""
    oidc: tuple[OidcProvider, ...] = ()
    """Providers whose bearer tokens are taken."""
    ldap: Directory | None = None
    """The directory that is asked for groups and passwords; None: none is."""
    limits: LimitSettings = field(default_factory=LimitSettings)
    """How much and how often anybody may ask."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ConfigurationError(f"port {self.port} is none", where="port")
        prefixes = [each.subject_prefix for each in self.oidc]
        if len(set(prefixes)) < len(prefixes):
            raise ConfigurationError(
                "two providers' people would pass for each other",
                where="oidc",
                next_step="give each a subject_prefix of its own",
            )
        for proxy in self.trusted_proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise ConfigurationError(
                    f"{proxy!r} is no address", where="trusted_proxies"
                ) from error


def read_settings(path: Path | None) -> ServeSettings:
    """Read a settings file; None: the defaults.

    Paths in it are taken from the folder that it is in.

    Raises
    ------
    ConfigurationError
        It can't be read, or says what is not understood. No value is repeated.
    """
    if path is None:
        return ServeSettings()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the settings can't be read: {getattr(error, 'strerror', 'no UTF-8')}",
            where=str(path),
            next_step="name another file by --config or HSC_SERVE",
        ) from error
    return settings_from(text, str(path), path.absolute().parent)


def settings_from(text: str, where: str = "", folder: Path = Path()) -> ServeSettings:
    """Read settings from their text.

    Examples
    --------
    >>> settings_from('port = 9000').port
    9000
    """
    try:
        document = tomllib.loads(text)
        _anchor(document, folder)
        return TypeAdapter(ServeSettings).validate_python(document)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"this is no TOML: {error}",
            where=where,
            next_step="mend that line; docs/how-to/run-a-catalog.md shows a whole file",
        ) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        own = first.get("ctx", {}).get("error")
        if isinstance(own, ConfigurationError):
            raise ConfigurationError(
                own.message, where=f"{where}: {own.where}", next_step=own.next_step
            ) from None
        raise ConfigurationError(
            f"{at}: {first['msg']}",
            where=where,
            next_step="docs/how-to/run-a-catalog.md lists what can be said",
        ) from None


def _anchor(document: dict[str, Any], folder: Path) -> None:
    for table, name in (
        (document, "accounts"),
        (document.get("ldap"), "ca_file"),
        (document.get("ldap"), "bind_password_file"),
    ):
        if isinstance(table, dict) and isinstance(table.get(name), str):
            table[name] = folder / Path(table[name]).expanduser()
