"""Membership: what a source knows of a subject, as the catalog's words have it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import get_args

from hsc.errors import ConfigurationError, UnauthenticatedError
from hsc_catalog.access import Role, Scope

ROLES: frozenset[Role] = frozenset(get_args(Role))
"""The roles that a subject can have in the whole catalog."""

SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a token may be good for, each on its own."""

_LONGEST = 255
# How the audit log calls whoever opened the database itself (`Caller.actor`).
_OPERATOR = "operator:"
_ERASED = "agent:"  # stands where an account was erased
# Access keys are built from these words ("staff:...", "user:..."): a source that says such a
# word for a group would hand out what is not its to give.
_NAME = re.compile(r"[^\s:\x00-\x1f\x7f](?:[^:\x00-\x1f\x7f]*[^\s:\x00-\x1f\x7f])?")


@dataclass(frozen=True)
class Membership:
    """What a source knows of a subject; sources are joined by ``|``.

    Examples
    --------
    >>> known = Membership(groups=frozenset({"maxiv/20260123"})) | Membership(disabled=True)
    >>> sorted(known.groups), known.disabled
    (['maxiv/20260123'], True)
    """

    groups: frozenset[str] = field(default=frozenset())
    """Names of groups; a proposal's is ``<facility>/<proposal>``."""
    roles: frozenset[Role] = field(default=frozenset())
    """Roles in the whole catalog, of `ROLES`."""
    staff_of: frozenset[str] = field(default=frozenset())
    """Instruments that the subject is staff of, as ``<facility>/<instrument>``."""
    leads: frozenset[str] = field(default=frozenset())
    """Proposals that the subject is principal investigator of, as ``<facility>/<proposal>``."""
    disabled: bool = False
    """Whether the subject may not come in at all, whatever another source says."""

    def __or__(self, other: Membership) -> Membership:
        return Membership(
            self.groups | other.groups,
            self.roles | other.roles,
            self.staff_of | other.staff_of,
            self.leads | other.leads,
            self.disabled or other.disabled,
        )


NOBODY = Membership()
"""What a source says of a subject that it does not know."""


def is_name(text: object) -> bool:
    """Tell whether a source's word can name a group: no colon, no control signs, not too long.

    Examples
    --------
    >>> is_name("maxiv/20260123"), is_name("user:anna"), is_name("")
    (True, False, False)
    """
    return isinstance(text, str) and len(text) <= _LONGEST and bool(_NAME.fullmatch(text))


def is_subject(text: object) -> bool:
    """Tell whether a text can name a subject: printable, not too long, no blanks at its ends."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= _LONGEST
        and text.isprintable()
        and text == text.strip()
        and not text.startswith((_OPERATOR, _ERASED))
    )


def checked_subject(text: object, source: str) -> str:
    """Give a subject as a source names it, if it can be one.

    Raises
    ------
    UnauthenticatedError
        It is no text, empty, too long, or holds control signs or blanks at its ends.
    """
    if not isinstance(text, str) or not is_subject(text):
        raise UnauthenticatedError(f"{source} names nobody that the catalog could know")
    return text


def checked_role(text: str) -> Role:
    """Give a role that there is.

    Raises
    ------
    ConfigurationError
        There is none of that name.
    """
    for role in ROLES:
        if role == text:
            return role
    raise ConfigurationError(
        f"{text!r} is no role", next_step=f"these are: {', '.join(sorted(ROLES))}"
    )
