"""The accounts file: subjects with groups, roles and password hashes, in TOML."""

from __future__ import annotations

import os
import stat
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hsc.errors import ConfigurationError
from hsc_catalog.identity.membership import (
    NOBODY,
    Membership,
    checked_role,
    is_name,
    is_subject,
)
from hsc_catalog.identity.passwords import PasswordHash

_MOST_BYTES = 16 * 2**20
_SUBJECT_KEYS = {"groups", "staff_of", "leads", "roles", "password", "disabled"}
_GROUP_KEYS = {"groups", "staff_of", "leads", "roles"}
_OTHERS_READ, _OTHERS_WRITE = stat.S_IROTH, stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Accounts:
    """What an accounts file says."""

    subjects: Mapping[str, Membership] = field(default_factory=dict)
    """What each subject belongs to."""
    groups: Mapping[str, Membership] = field(default_factory=dict)
    """What belonging to a group brings besides, whichever source tells of the group."""
    passwords: Mapping[str, PasswordHash] = field(default_factory=dict, repr=False)
    """Subjects that sign in with a password."""

    @classmethod
    def read(cls, text: str, where: str = "") -> Accounts:
        r"""Read an accounts file's text.

        Raises
        ------
        ConfigurationError
            It is no TOML, or says what no account can have. No value is repeated.

        Examples
        --------
        >>> accounts = Accounts.read('[subject.anna]\ngroups = ["maxiv/20260123"]')
        >>> sorted(accounts.subjects["anna"].groups)
        ['maxiv/20260123']
        """
        try:
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            # The parser's message has a place and a sign, never a whole value.
            raise ConfigurationError(f"this is no TOML: {error}", where=where) from None
        _check_keys(document, {"subject", "group"}, where)
        subjects = _tables(document, "subject", where)
        groups = _tables(document, "group", where)
        passwords = {
            name: PasswordHash.read(_text(table["password"], f"{where}: {name}"), where)
            for name, table in subjects.items()
            if "password" in table
        }
        return cls(
            _memberships(subjects, _SUBJECT_KEYS, where),
            _memberships(groups, _GROUP_KEYS, where),
            passwords,
        )


class AccountsFile:
    """An accounts file, read again whenever it changes (`GroupSource`, `PasswordSource`).

    Parameters
    ----------
    path
        The file. One with password hashes may not be read by everybody, and none may be written
        by others than its owner.

    Raises
    ------
    ConfigurationError
        The file can't be used. After it was changed to such a one, everybody is kept out until it
        is mended: an older state may let in whom the newer one keeps out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._accounts = Accounts()
        self._unknown = PasswordHash.of("")
        self.accounts()

    def accounts(self) -> Accounts:
        """Give what the file says now."""
        with self._lock:
            try:
                now = _state(os.stat(self.path))
                if now != self._seen:
                    self._accounts, self._seen = _read(self.path)
            except OSError as error:
                raise ConfigurationError(
                    f"the accounts file can't be read: {error.strerror}", where=str(self.path)
                ) from error
            return self._accounts

    def membership(self, subject: str, claims: Mapping[str, Any]) -> Membership:
        """Give what the file says of a subject."""
        return self.accounts().subjects.get(subject, NOBODY)

    def meaning(self, known: Membership) -> Membership:
        """Add what belonging to groups brings, as the file's ``[group]`` tables say."""
        meanings = self.accounts().groups
        joined = known
        for group in sorted(known.groups):
            joined |= meanings.get(group, NOBODY)
        return joined

    def check_password(self, name: str, password: str) -> str | None:
        """Give the subject of that name when the password is theirs.

        An unknown name takes as long as a known one.
        """
        kept = self.accounts().passwords.get(name)
        held = (kept or self._unknown).holds(password)
        return name if held and kept is not None else None


def _read(path: Path) -> tuple[Accounts, tuple[int, ...]]:
    with path.open("rb") as file:
        about = os.fstat(file.fileno())
        raw = file.read(_MOST_BYTES + 1)
    where = str(path)
    if len(raw) > _MOST_BYTES:
        raise ConfigurationError("the accounts file has more than 16 MiB", where=where)
    try:
        accounts = Accounts.read(raw.decode("utf-8"), where)
    except UnicodeDecodeError:
        raise ConfigurationError("the accounts file is no UTF-8", where=where) from None
    _check_permissions(about, where, secret=bool(accounts.passwords))
    return accounts, _state(about)


def _state(about: os.stat_result) -> tuple[int, ...]:
    return (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_mode)


def _check_permissions(about: os.stat_result, where: str, *, secret: bool) -> None:
    if os.name != "posix":  # other systems keep permissions elsewhere
        return
    if about.st_mode & _OTHERS_WRITE:
        raise ConfigurationError(
            "others may write the accounts file", where=where, next_step=f"chmod go-w {where}"
        )
    if secret and about.st_mode & _OTHERS_READ:
        raise ConfigurationError(
            "everybody may read the accounts file, which holds password hashes",
            where=where,
            next_step=f"chmod o-rwx {where}",
        )


def _tables(document: Mapping[str, Any], key: str, where: str) -> dict[str, dict[str, Any]]:
    tables = document.get(key, {})
    if not isinstance(tables, dict):
        raise ConfigurationError(f"{key!r} is no table", where=where)
    for name, table in tables.items():
        named = is_subject(name) if key == "subject" else is_name(name)
        if not isinstance(table, dict) or not named:
            raise ConfigurationError(
                f"[{key}.{name!r}] is none",
                where=where,
                next_step=f'write it like [{key}."name"], one table for each',
            )
    return tables


def _memberships(
    tables: Mapping[str, Mapping[str, Any]], keys: set[str], where: str
) -> dict[str, Membership]:
    return {name: _membership(name, table, keys, where) for name, table in tables.items()}


def _membership(name: str, table: Mapping[str, Any], keys: set[str], where: str) -> Membership:
    place = f"{where}: {name}"
    _check_keys(table, keys, place)
    disabled = table.get("disabled", False)
    if not isinstance(disabled, bool):
        raise ConfigurationError("disabled is true or false", where=place)
    lists = {key: _names(table, key, place) for key in ("groups", "staff_of", "leads", "roles")}
    for key in ("staff_of", "leads"):
        if any("/" not in each for each in lists[key]):
            raise ConfigurationError(
                f"{key} lacks a facility", where=place, next_step='write it like "maxiv/CoSAXS"'
            )
    return Membership(
        groups=lists["groups"],
        roles=frozenset(map(checked_role, lists["roles"])),
        staff_of=lists["staff_of"],
        leads=lists["leads"],
        disabled=disabled,
    )


def _names(table: Mapping[str, Any], key: str, where: str) -> frozenset[str]:
    given = table.get(key, [])
    if not isinstance(given, list) or not all(map(is_name, given)):
        raise ConfigurationError(
            f"{key} is no list of names",
            where=where,
            next_step='write it like ["maxiv/20260123"]; no name has a colon',
        )
    return frozenset(given)


def _check_keys(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise ConfigurationError(
            f"{unknown[0]!r} is not understood",
            where=where,
            next_step=f"these are: {', '.join(sorted(known))}",
        )


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError("password is no text", where=where)
    return value
