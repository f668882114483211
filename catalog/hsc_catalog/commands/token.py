"""``hsc token create|list|revoke``: API tokens in a catalog's own database."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from hsc.cli import Json, answer, json_wanted, show_table
from hsc_catalog.access import OPERATOR
from hsc_catalog.commands.opened import opened_database
from hsc_catalog.identity import IssuedToken, create_token, list_tokens, revoke_token
from hsc_catalog.identity.tokens import DAYS, MOST_DAYS

_SHOWN = "it is shown this once: put it into HSC_TOKEN, or a file that nobody else reads"


def create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    subject: Annotated[str, typer.Option(help="Whom it names.")],
    scope: Annotated[
        list[str],
        typer.Option(help="What it is good for: read, ingest, write, share, admin; repeatable."),
    ],
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="How long it counts.")] = DAYS,
    json: Json = False,
) -> None:
    """Make a token for somebody, and print it once."""
    with opened_database() as database:
        issued = create_token(
            database,
            OPERATOR,
            name=name,
            scopes=scope,
            subject=subject,
            lasts=timedelta(days=days),
        )
    tell_issued(issued)


def list_all(
    subject: Annotated[str | None, typer.Option(help="Whose; by default everybody's.")] = None,
    json: Json = False,
) -> None:
    """List tokens, newest first; their secrets are not known."""
    with opened_database() as database:
        tokens = list_tokens(database, OPERATOR, subject=subject)
    if json_wanted():
        answer({"tokens": [token.document() for token in tokens]}, "")
        return
    columns = ["id", "subject", "name", "scopes", "expires", "revoked", "used"]
    rows = [[_cell(token.document()[column]) for column in columns] for token in tokens]
    show_table("", columns, rows)


def revoke(
    id: Annotated[str, typer.Argument(help="Its id, as `hsc token list` shows it.")],
    json: Json = False,
) -> None:
    """Withdraw a token at once."""
    with opened_database() as database:
        token = revoke_token(database, OPERATOR, id)
    answer(token.document(), f"token {token.id} of {token.subject} does not count any more")


def tell_issued(issued: IssuedToken) -> None:
    """Print a new token: the text alone on stdout, the rest on stderr."""
    token = issued.token
    if not json_wanted():
        until = f"{token.expires:%Y-%m-%d}"
        about = f"token {token.id} of {token.subject} ({', '.join(token.scopes)}), until {until}"
        answer(None, f"{about}\n{_SHOWN}", to_stderr=True)
    answer(issued.document(), issued.text)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
