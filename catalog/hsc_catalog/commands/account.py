"""``hsc account`` and ``hsc catalog administrator``: who has which role; hashes of passwords."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from hsc.cli import Json, answer, json_wanted, show_table
from hsc.errors import ConfigurationError
from hsc_catalog.access import OPERATOR
from hsc_catalog.commands.opened import opened_database
from hsc_catalog.commands.token import tell_issued
from hsc_catalog.identity import (
    AccountsFile,
    PasswordHash,
    grant_role,
    list_roles,
    make_administrator,
    withdraw_role,
)

_LEAST = 12
_LONGEST = 1024
_Subject = Annotated[str, typer.Argument(help="The account, as the sources of accounts have it.")]
_Role = Annotated[str, typer.Argument(help="administrator or ingestor.")]


def administrator(subject: _Subject, json: Json = False) -> None:
    """Make somebody administrator of the catalog, and print a token of 30 days for them, once."""
    with opened_database() as database:
        issued = make_administrator(database, OPERATOR, subject)
    tell_issued(issued)


def grant(subject: _Subject, role: _Role, json: Json = False) -> None:
    """Give somebody a role in the whole catalog."""
    with opened_database() as database:
        changed = grant_role(database, OPERATOR, subject, role)
    text = f"{subject} is {role}" + ("" if changed else ", and was before")
    answer({"subject": subject, "role": role, "changed": changed}, text)


def withdraw(subject: _Subject, role: _Role, json: Json = False) -> None:
    """Take a role from somebody; what the accounts file gives stays."""
    with opened_database() as database:
        changed = withdraw_role(database, OPERATOR, subject, role)
    text = (
        f"{subject} is {role} no more" if changed else f"{subject} was no {role} of the catalog's"
    )
    answer({"subject": subject, "role": role, "changed": changed}, text)


def list_accounts(json: Json = False) -> None:
    """List who has a role that the catalog itself keeps."""
    with opened_database() as database:
        roles = list_roles(database)
    if json_wanted():
        answer({"roles": [{"subject": subject, "role": role} for subject, role in roles]}, "")
    else:
        show_table("", ["subject", "role"], [list(row) for row in roles])


def check(
    path: Annotated[Path, typer.Argument(help="An accounts file.")], json: Json = False
) -> None:
    """Tell whether an accounts file can be used."""
    accounts = AccountsFile(path).accounts()
    count = len(accounts.subjects)
    told = {"subjects": count, "groups": len(accounts.groups), "passwords": len(accounts.passwords)}
    answer(told, f"{path}: {count} subjects, {len(accounts.passwords)} with a password")


def hash_password(json: Json = False) -> None:
    """Ask for a password, and print its hash for an accounts file.

    The password is typed, or comes as one line on stdin; never as an argument, which everybody on
    the machine could see.
    """
    password = _asked() if sys.stdin.isatty() else _piped()
    if not _LEAST <= len(password) <= _LONGEST:
        raise ConfigurationError(f"a password has {_LEAST} to {_LONGEST} letters")
    made = str(PasswordHash.of(password))
    answer({"password": made}, f'password = "{made}"')


def _asked() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise ConfigurationError("the two are not the same")
    return password


def _piped() -> str:
    return sys.stdin.readline(_LONGEST + 2).rstrip("\r\n")
