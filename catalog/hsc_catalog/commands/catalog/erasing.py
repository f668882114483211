"""``hsc catalog erase SUBJECT``: who somebody was, forgotten; what they did stays."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc.errors import RecordNotFoundError
from hsc_catalog.commands.answering import Json, To, answer, mention


def erase(
    subject: Annotated[str, typer.Argument(help="The account, as tokens and providers name it.")],
    to: To = None,
    json: Json = False,
) -> None:
    """Forget account, name and address of a person in the audit log and annotations.

    The log keeps its rows under a pseudonym that says nothing any more, and still verifies. Names
    in records (people of a dataset) are amended, not erased. What still names the account, and
    what it may still do, is told: tokens count until they are revoked.
    """
    # SQLAlchemy takes a moment to load.
    from hsc_catalog.auditing import Change, named_still, note
    from hsc_catalog.auditing import erase as erase_person
    from hsc_catalog.sql import open_sql

    with open_sql(to) as catalog, catalog.database.writing() as connection:
        agent = erase_person(connection, subject)
        if agent is None:
            raise RecordNotFoundError(f"the audit log knows nobody of the account {subject!r}")
        note(connection, catalog.caller.actor, [Change("erase", "person", agent)])
        remains = named_still(connection, subject)
    told = {"erased": agent, "remains": remains}
    answer(told, f"{agent} is nobody known any more", json=json)
    if remains and not json:
        counts = ", ".join(f"{kind} {count}" for kind, count in remains.items())
        mention(f"the account is still named by: {counts}")
        mention("`hsc token revoke` and `hsc account withdraw` take rights back")
