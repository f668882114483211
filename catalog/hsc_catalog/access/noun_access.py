"""Who sees and who keeps the nouns beside datasets: proposals, samples, publications and so on."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hsc.errors import ConflictError, ForbiddenError
from hsc.model import Instrument, Noun, Proposal, Publication, Sample, noun_kind
from hsc_catalog import tables
from hsc_catalog.access.caller import (
    instrument_name,
    lead_key,
    person_key,
    proposal_group,
    staff_key,
)
from hsc_catalog.access.rights import may
from hsc_catalog.access.sets import AccessSet
from hsc_catalog.access.sight import Sight
from hsc_catalog.access.standing import standings

_PUBLIC_STATES = ("registered", "amended", "withdrawn")


def noun_set(noun: Noun, owner: str | None) -> AccessSet:
    """Give who sees a noun by what it is; datasets that name it open it to others besides.

    Facilities and instruments are public, proposals are for their members, samples for those of
    their proposal, publications for their owner until they are registered.
    """
    names = set() if owner is None else {person_key(owner)}
    if isinstance(noun, Proposal):
        staff = (instrument_name(noun.facility, each) for each in noun.instruments)
        names |= {noun.key, lead_key(noun.key), *noun.groups, *map(staff_key, staff)}
    elif isinstance(noun, Sample):
        if noun.proposal is not None:
            group = proposal_group(noun.facility, noun.proposal)
            names |= {group, lead_key(group)}
    elif not isinstance(noun, Publication):
        return AccessSet("public")
    elif noun.state in _PUBLIC_STATES:
        # An embargo that was over in 1970: plainly public sets have no names, and it has an owner.
        return AccessSet("public", embargo=0, own=frozenset(names))
    return AccessSet("group", own=frozenset(names))


def require_keep(connection: Connection, sight: Sight, noun: Noun) -> None:
    """Pass where a caller may keep a noun, or one in place of what stands under its key.

    Raises
    ------
    ConflictError
        Something of somebody else's stands under its key.
    ForbiddenError
        The caller may not.
    """
    caller = sight.caller
    if caller.operator:
        return
    scope = "ingest" if "ingestor" in caller.roles else "write"
    if (
        caller.subject is None
        or scope not in caller.scopes
        or not _may_keep(connection, sight, noun)
    ):
        raise ForbiddenError(
            f"{caller.subject or 'nobody in particular'} may not keep this {noun_kind(noun)}",
            where=noun.key,
            next_step=f"its own people and administrators may, with the scope {scope}",
        )
    row = tables.noun.c
    there = select(row.key).where(row.kind == noun_kind(noun), row.key == noun.key)
    if (
        connection.scalar(there) is not None
        and connection.scalar(there.where(sight.nouns())) is None
    ):
        raise ConflictError(f"the {noun_kind(noun)} {noun.key} can't be kept: the key is taken")


def _may_keep(connection: Connection, sight: Sight, noun: Noun) -> bool:
    caller = sight.caller
    if "administrator" in caller.roles:
        return True
    ingests = "ingestor" in caller.roles
    if isinstance(noun, Instrument):
        return instrument_name(noun.facility, noun.name) in caller.staff_of
    if isinstance(noun, Proposal):
        return ingests or noun.key in caller.leads
    if isinstance(noun, Sample):
        group = proposal_group(noun.facility, noun.proposal or "")
        facilities = {each.partition("/")[0] for each in caller.staff_of}
        return ingests or group in caller.groups | caller.leads or noun.facility in facilities
    if isinstance(noun, Publication):
        return _may_publish(connection, sight, noun)
    return False


def _may_publish(connection: Connection, sight: Sight, noun: Publication) -> bool:
    """Tell whether somebody may keep a publication: a public one names what they may share.

    One that names nothing says nothing that anybody vouches for: administrators alone keep it.
    """
    row = tables.noun.c
    mine = (row.kind == "publication", row.key == noun.key)
    access = connection.scalar(select(row.access).where(*mine))
    if connection.scalar(select(row.key).where(*mine)) is not None:
        owners = tables.access_key.c
        wanted = (owners.access == access, owners.name == person_key(sight.caller.subject or ""))
        if connection.scalar(select(owners.name).where(*wanted)) is None:
            return False
    if noun.state not in _PUBLIC_STATES:
        return True
    members = {str(each.dataset.latest()) for each in noun.members}
    known = standings(connection, members)
    return bool(members) and all(
        pid in known
        and (known[pid].access.is_free(sight.moment) or may(sight.caller, "share", known[pid]))
        for pid in members
    )
