"""Erasing a person: rights taken back, and their names replaced in every table."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, delete, select, update

from hsc.errors import RecordNotFoundError
from hsc.model import now
from hsc_catalog import tables
from hsc_catalog.access import read_sets
from hsc_catalog.auditing import Change, erase, note
from hsc_catalog.erasing.documents import redact_documents
from hsc_catalog.erasing.words import Words
from hsc_catalog.wording import text_now, texts_now


@dataclass
class Erased:
    """What erasing somebody did."""

    agent: str
    """The pseudonym that stays, and says nothing."""
    revoked: dict[str, int] = field(default_factory=dict)
    """How many tokens, links and roles were taken back."""
    changed: dict[str, int] = field(default_factory=dict)
    """In how many documents of each kind names were replaced."""


def erase_person(
    connection: Connection, actor: str, subject: str, others: list[str] | None = None
) -> Erased:
    """Forget who somebody was, in one transaction; what they did stays, and who else sees it.

    Parameters
    ----------
    connection
        The transaction to write in.
    actor
        Account of who erases.
    subject
        The account to erase.
    others
        Names, addresses, ORCID iDs of the person that stand in records.

    Raises
    ------
    RecordNotFoundError
        The catalog knows nobody of the account.
    InvalidRecordError
        Without one of the words a record would be none.
    """
    person = tables.person.c
    known = connection.execute(
        select(person.id, person.name, person.address).where(person.subject == subject)
    ).one_or_none()
    if known is None:
        raise RecordNotFoundError(f"the audit log knows nobody of the account {subject!r}")
    agent, name, address = known
    words = Words(subject, agent, [*(others or ()), name or "", address or ""])
    changes: list[Change] = []
    done = Erased(agent)
    done.revoked = {
        "tokens": _take_back(connection, tables.api_token, "name", words, agent, changes),
        "links": _take_back(connection, tables.reviewer_link, "note", words, agent, changes),
        "roles": _take_roles(connection, subject, agent, changes),
    }
    _rename_keys(connection, subject, agent)
    _rename_rows(connection, subject, agent, words)
    done.changed = redact_documents(connection, words, changes)
    erase(connection, subject)
    note(connection, actor, [*changes, Change("erase", "person", agent)])
    return done


def _take_back(
    connection: Connection,
    table: Table,
    text: str,
    words: Words,
    agent: str,
    changes: list[Change],
) -> int:
    """Withdraw what the account made, and take words out of what all of them are called."""
    row, at = table.c, tables.microseconds(now())
    kind = "token" if table is tables.api_token else "link"
    named = words.stand_in(row[text], postgresql=tables.is_postgresql(connection))
    wanted = select(row.id, row.subject, row.revoked, row[text].label("text"))
    found = connection.execute(wanted.where((row.subject == words.every[0]) | named)).all()
    before = texts_now(connection, kind, (each.id for each in found))
    count = 0
    for each in found:
        values: dict[str, object] = {text: words.out_of(each.text)}
        if each.subject == words.every[0]:
            count += each.revoked is None
            values = {text: "erased", "subject": agent, "revoked": each.revoked or at}
        connection.execute(update(table).where(row.id == each.id).values(values))
    after = texts_now(connection, kind, (each.id for each in found))
    changes += [Change("erase", kind, key, before[key], after[key]) for key in sorted(after)]
    return count


def _take_roles(connection: Connection, subject: str, agent: str, changes: list[Change]) -> int:
    row = tables.granted_role.c
    roles = connection.scalars(select(row.role).where(row.subject == subject)).all()
    for role in sorted(roles):
        key = f"{role}:{agent}"
        changes.append(Change("erase", "role", key, text_now(connection, "role", key), None))
    connection.execute(delete(tables.granted_role).where(row.subject == subject))
    return len(roles)


def _rename_keys(connection: Connection, subject: str, agent: str) -> None:
    """Let the pseudonym stand in access sets, whose digests are of the names."""
    key, access = tables.access_key.c, tables.access_set.c
    named = key.name == f"user:{subject}"
    ids = connection.scalars(select(key.access).where(named).distinct()).all()
    connection.execute(update(tables.access_key).where(named).values(name=f"user:{agent}"))
    for first in range(0, len(ids), 500):
        for id, each in read_sets(connection, ids[first : first + 500]).items():
            kept = update(tables.access_set).where(access.id == id)
            connection.execute(kept.values(digest=each.digest()))


def _rename_rows(connection: Connection, subject: str, agent: str, words: Words) -> None:
    for table, column in (
        (tables.dataset, tables.dataset.c.owner),
        (tables.activity, tables.activity.c.recorder),
        (tables.foreign_document, tables.foreign_document.c.created_by),
        (tables.foreign_document, tables.foreign_document.c.updated_by),
    ):
        connection.execute(update(table).where(column == subject).values({column.name: agent}))
    once = tables.idempotency.c
    told = words.stand_in(once.answer, postgresql=tables.is_postgresql(connection))
    connection.execute(delete(tables.idempotency).where((once.subject == subject) | told))
