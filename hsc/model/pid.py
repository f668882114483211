"""Persistent identifiers: ``<prefix>/<suffix>``, and ``<prefix>/<suffix>@<n>`` for version n.

Suffixes that hsc makes are ULIDs. Other catalogs have others: UUIDs, the suffixes of DOIs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from ulid import ULID

from hsc.errors import InvalidPidError

_GRAMMAR = re.compile(
    r"(?P<prefix>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?)"
    r"/(?P<suffix>[A-Za-z0-9][A-Za-z0-9._~-]{0,127})"
    r"(?:@(?P<version>[1-9][0-9]{0,8}))?"
)
# Crockford's base 32 without I, L, O, U; the first digit of a 128-bit number is at most 7.
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_OURS = "hsc."


@dataclass(frozen=True, slots=True, order=True)
class Pid:
    """A persistent identifier of a dataset.

    Examples
    --------
    >>> pid = Pid.parse("hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAV@2")
    >>> pid.prefix, pid.version, str(pid.latest())
    ('hsc.maxiv', 2, 'hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAV')
    """

    prefix: str
    """The facility's prefix: ``hsc.maxiv`` and the like until it has a DOI prefix."""
    suffix: str
    """A ULID under every prefix that begins with ``hsc.``: 26 characters of Crockford's base 32,
    which sort by the time they were made; under other prefixes also what another catalog made."""
    version: int | None = None
    """The version meant; None means the newest."""

    @classmethod
    def parse(cls, text: object) -> Pid:
        """Read a PID from text.

        Raises
        ------
        InvalidPidError
            The text does not follow the grammar.
        """
        if isinstance(text, Pid):
            return text
        match = _GRAMMAR.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None or (
            match["prefix"].startswith(_OURS) and not _ULID.fullmatch(match["suffix"])
        ):
            raise InvalidPidError(
                f"{text!r} is not a PID",
                next_step="write it as <prefix>/<26 characters>, for instance "
                "hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAV; `hsc search` lists the known ones",
            )
        version = match["version"]
        return cls(match["prefix"], match["suffix"], int(version) if version else None)

    @classmethod
    def generate(cls, prefix: str) -> Pid:
        """Make a new PID under a prefix."""
        return cls.parse(f"{prefix}/{ULID()}")

    @property
    def ulid(self) -> str:
        """The suffix where it is a ULID: stores have folders for these alone.

        Raises
        ------
        InvalidPidError
            Another catalog made the suffix.
        """
        if not _ULID.fullmatch(self.suffix):
            raise InvalidPidError(
                f"{self} was made by another catalog: no store has a folder for it",
                next_step="open or fetch it from where its record's origin says it lies",
            )
        return self.suffix

    def at(self, version: int) -> Pid:
        """Give the same identifier naming one version."""
        return Pid(self.prefix, self.suffix, version)

    def latest(self) -> Pid:
        """Give the same identifier without a version."""
        return self if self.version is None else Pid(self.prefix, self.suffix)

    def __str__(self) -> str:
        version = "" if self.version is None else f"@{self.version}"
        return f"{self.prefix}/{self.suffix}{version}"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        # In records a PID is its text.
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # Without the groups' names, which are Python's own.
        return {
            "type": "string",
            "title": "Pid",
            "description": "A persistent identifier: prefix/suffix, and @n for version n.",
            "pattern": "^" + re.sub(r"\?P<\w+>", "", _GRAMMAR.pattern) + "$",
            "examples": ["hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAV"],
        }
