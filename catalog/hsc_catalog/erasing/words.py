"""Words that are to be forgotten, and texts and documents without them."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import ColumnElement, func, or_

_GONE = "erased"
_GONE_ADDRESS = "erased@erased.invalid"


class Words:
    """An account, and names, addresses and identifiers of who it was.

    Parameters
    ----------
    account
        Replaced where it is a whole value: inside of longer texts it may be any word.
    agent
        The pseudonym that comes in its place.
    others
        Names, addresses, ORCID iDs: replaced wherever they stand as whole words.
    """

    def __init__(self, account: str, agent: str, others: list[str]) -> None:
        self._whole = {account: agent, f"user:{account}": f"user:{agent}"}
        self._others = sorted({word for word in others if word}, key=len, reverse=True)
        parts = "|".join(map(re.escape, self._others))
        self._pattern = re.compile(rf"(?<!\w)(?:{parts})(?!\w)") if parts else None
        self.every = list(dict.fromkeys([account, *self._others]))

    def stand_in(self, column: ColumnElement[Any], *, postgresql: bool) -> ColumnElement[bool]:
        """Give the condition that a text may have one of them, in JSON's spelling or plain."""
        place = func.strpos if postgresql else func.instr
        spelled = {spelling for word in self.every for spelling in (word, json.dumps(word)[1:-1])}
        return or_(*(place(column, each) > 0 for each in sorted(spelled)))

    def out_of(self, text: str) -> str:
        """Give a text without them."""
        if text in self._whole:
            return self._whole[text]
        return text if self._pattern is None else self._pattern.sub(self._gone, text)

    def out_of_json(self, text: str) -> str:
        """Give a document without them; the same text where it has none."""
        document = json.loads(text)
        without = self._out_of(document)
        return text if without == document else json.dumps(without, allow_nan=False)

    def _gone(self, found: re.Match[str]) -> str:
        return _GONE_ADDRESS if "@" in found[0] else _GONE

    def _out_of(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.out_of(value)
        if isinstance(value, list):
            return [self._out_of(each) for each in value]
        if not isinstance(value, dict):
            return value
        # Of a person who is named by any of it, nothing stays but what they were.
        told = [value.get(key) for key in ("name", "email", "orcid")]
        if "name" in value and any(isinstance(t, str) and self.out_of(t) != t for t in told):
            gone = ("email", "orcid", "affiliation", "ror")
            kept = {key: each for key, each in value.items() if key not in gone}
            return {key: self._out_of(each) for key, each in kept.items()} | {"name": _GONE}
        return {self.out_of(key): self._out_of(each) for key, each in value.items()}
