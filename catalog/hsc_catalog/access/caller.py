"""Caller: who asks, with the groups, roles and scopes they have now."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from functools import cache
from typing import Literal

from hsc.model import Pid

Role = Literal["administrator", "ingestor"]
"""Administrator: sees and may do everything. Ingestor: may create for any proposal, no more."""

Scope = Literal["read", "ingest", "write", "share", "admin"]
"""What a token is good for, whatever its bearer may do."""

ALL_SCOPES: frozenset[Scope] = frozenset({"read", "ingest", "write", "share", "admin"})
"""What somebody at the database itself, or signed in with a password, is not held back from."""

_RESERVED = ("user:", "staff:", "lead:")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks a catalog for something.

    Examples
    --------
    >>> anna = Caller("anna", groups=frozenset({"maxiv/20260123"}))
    >>> sorted(anna.keys())
    ['maxiv/20260123', 'user:anna']

    A group from outside that calls itself like somebody opens nothing:

    >>> sorted(Caller("eve", groups=frozenset({"user:anna"})).keys())
    ['user:eve']
    """

    subject: str | None = None
    """The account, unique among all providers of accounts; None: nobody signed in."""
    groups: frozenset[str] = frozenset()
    """Groups they are in: a proposal's is called as in ``maxiv/20260123``."""
    roles: frozenset[Role] = frozenset()
    """What they are to the whole catalog; mostly nothing."""
    staff_of: frozenset[str] = frozenset()
    """Instruments they are staff of, as in ``maxiv/CoSAXS``."""
    leads: frozenset[str] = frozenset()
    """Proposals that they are principal investigator of, as in ``maxiv/20260123``."""
    scopes: frozenset[Scope] = frozenset({"read"})
    """What their token is good for."""
    datasets: frozenset[Pid] = frozenset()
    """Datasets that a reviewer's link opens, in all versions, to read."""
    operator: bool = False
    """Whether they opened the database itself: then they see and may do everything."""

    @property
    def sees_everything(self) -> bool:
        """Tell whether nothing is hidden from them."""
        return self.operator or "administrator" in self.roles

    def keys(self) -> frozenset[str]:
        """Give the names that access sets know them by: groups, staff, lead, and themselves."""
        groups = {group for group in self.groups if not group.startswith(_RESERVED)}
        own = set() if self.subject is None else {person_key(self.subject)}
        staff = {staff_key(instrument) for instrument in self.staff_of}
        return frozenset(groups | self.leads | set(map(lead_key, self.leads)) | staff | own)

    @property
    def actor(self) -> str:
        """The account that the audit log has a pseudonym for."""
        if self.subject is not None or not self.operator:
            return self.subject or "anonymous"
        return _operator(*map(os.environ.get, _NAMES))


# What `getpass` asks first; beyond these it asks the system, which takes longer than a statement.
_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


@cache
def _operator(*_: str | None) -> str:
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):  # a container without a name for its user
        return "operator:unknown"


def person_key(subject: str) -> str:
    """Give the name of one person in access sets."""
    return f"user:{subject}"


def staff_key(instrument: str) -> str:
    """Give the name of an instrument's staff in access sets, as of ``maxiv/CoSAXS``."""
    return f"staff:{instrument}"


def lead_key(proposal: str) -> str:
    """Give the name of a proposal's principal investigators in access sets."""
    return f"lead:{proposal}"


def proposal_group(facility: str, proposal: str) -> str:
    """Give the name of the group of a proposal's members."""
    return f"{facility}/{proposal}"


def instrument_name(facility: str, instrument: str) -> str:
    """Give an instrument as `Caller.staff_of` has it."""
    return f"{facility}/{instrument}"


ANONYMOUS = Caller()
"""Whoever did not sign in."""

OPERATOR = Caller(roles=frozenset({"administrator"}), scopes=ALL_SCOPES, operator=True)
"""Whoever opened the database itself; the audit log has their account on this machine."""
