"""Rights: what a caller may do with what they see, asked in one function."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from hsc.errors import ForbiddenError
from hsc_catalog.access.caller import Caller, Scope
from hsc_catalog.access.standing import Standing

Right = Literal[
    "read", "create", "record", "register_replica", "amend", "annotate", "share", "administer"
]
"""Read: ask anything. Create: register a dataset, or a version of one. Record: keep an activity.
Register_replica: say where a dataset lies. Amend: mend its record. Annotate: say something of it.
Share: decide who may see it. Administer: what concerns the whole catalog."""

SCOPE: Mapping[Right, Scope] = MappingProxyType(
    {
        "read": "read",
        "create": "ingest",
        "record": "ingest",
        "register_replica": "ingest",
        "amend": "write",
        "annotate": "write",
        "share": "share",
        "administer": "admin",
    }
)
"""The scope that a token needs for a right."""


def require(
    caller: Caller, right: Right, entry: Standing | None = None, *, derives: bool = False
) -> None:
    """Pass where a caller has a right; the caller must be known to see the entry.

    Parameters
    ----------
    caller
        Who wants to.
    right
        To do what.
    entry
        To what; for ``create`` how it would stand. None where the right is about no dataset.
    derives
        For ``create``: whether it comes of datasets, all of which the caller sees.

    Raises
    ------
    ForbiddenError
        The caller's token lacks the scope, or the caller the right.
    """
    if caller.operator:
        return
    scope = SCOPE[right]
    if scope not in caller.scopes:
        raise ForbiddenError(
            f"the token is not good for this: it lacks the scope {scope!r}",
            where=entry.pid if entry else "",
            next_step=f"ask for a token with the scope {scope}",
        )
    if right == "read" or "administrator" in caller.roles:
        return
    if caller.subject is None or not _holds(caller, right, entry, derives):
        raise ForbiddenError(
            f"{caller.subject or 'nobody in particular'} may not {_WORDS[right]}",
            where=entry.pid if entry else "",
            next_step=_WHO[right],
        )


def may(caller: Caller, right: Right, entry: Standing | None = None) -> bool:
    """Tell whether a caller has a right, as `require` asks it."""
    try:
        require(caller, right, entry)
    except ForbiddenError:
        return False
    return True


def knows_access(caller: Caller, entry: Standing) -> bool:
    """Tell whether a caller may see who may see a dataset: its stewards and its proposal may."""
    if caller.sees_everything:
        return True
    return not caller.keys().isdisjoint({*entry.stewards(), entry.group})


def require_move(caller: Caller, before: Standing, after: Standing) -> None:
    """Pass where a caller may take a dataset out of one proposal and put it into another.

    Else its owner could take it to a proposal of their own, and publish it there.

    Raises
    ------
    ForbiddenError
        They may not.
    """
    if before.group == after.group or caller.sees_everything:
        return
    staff = before.instrument_name in caller.staff_of
    if not (staff or before.group is None or before.group in caller.leads):
        raise ForbiddenError(
            f"{caller.subject} may not take this dataset out of proposal {before.group}",
            where=before.pid,
            next_step="its principal investigator and staff of its instrument may",
        )
    member = not caller.keys().isdisjoint({after.group})
    if not (staff or member or after.group is None):
        raise ForbiddenError(
            f"{caller.subject} may not put a dataset into proposal {after.group}",
            where=before.pid,
            next_step="its members and staff of the instrument may",
        )


def _holds(caller: Caller, right: Right, entry: Standing | None, derives: bool) -> bool:
    if right in ("record", "annotate"):
        return True
    if entry is None:
        return False
    staff = entry.instrument_name in caller.staff_of
    leads = entry.group in caller.leads
    owns = entry.owner == caller.subject
    if right == "create":
        member = not caller.keys().isdisjoint({entry.group, *entry.groups()})
        return "ingestor" in caller.roles or staff or member or derives
    if right == "register_replica":
        return "ingestor" in caller.roles or staff or leads or owns
    if right == "amend":
        return staff or leads or owns
    if right == "share":
        return leads or (owns and entry.proposal is None)
    return False


_WORDS: Mapping[Right, str] = MappingProxyType(
    {
        "read": "ask this",
        "create": "register this dataset",
        "record": "record an activity",
        "register_replica": "say where this dataset lies",
        "amend": "amend this dataset",
        "annotate": "annotate this dataset",
        "share": "decide who sees this dataset",
        "administer": "do what only an administrator may",
    }
)
_WHO: Mapping[Right, str] = MappingProxyType(
    {
        "read": "sign in",
        "create": "members of its proposal or group, staff of its instrument and ingestors may; "
        "and anybody signed in, what comes of datasets that they see, for their proposals or none",
        "record": "sign in",
        "register_replica": "its owner, staff of its instrument, its principal investigator and "
        "ingestors may",
        "amend": "its owner, staff of its instrument and its principal investigator may",
        "annotate": "sign in",
        "share": "its principal investigator and administrators may; its owner, while no proposal "
        "is known",
        "administer": "ask an administrator",
    }
)
