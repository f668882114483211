"""Person: somebody who measured, proposed or published."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from hsc.model.limits import Name
from hsc.model.wire import Record

_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")


def orcid(text: str) -> str:
    """Give an ORCID iD in its short form.

    Raises
    ------
    ValueError
        It is none: four groups of four digits, the last of which checks the others
        (ISO/IEC 7064, MOD 11-2).

    Examples
    --------
    >>> orcid("https://orcid.org/0000-0002-1825-0097")
    '0000-0002-1825-0097'
    """
    match = _ORCID.fullmatch(text.strip())
    if match is None or _check_digit(match[1].replace("-", "")[:-1]) != match[1][-1]:
        raise ValueError(f"{text!r} is no ORCID iD: write it as 0000-0002-1825-0097")
    return match[1]


def _check_digit(digits: str) -> str:
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    return "X" if rest == 10 else str(rest)


Orcid = Annotated[str, AfterValidator(orcid)]
"""An ORCID iD in its short form."""


class Person(Record):
    """A person, and what they were for the dataset, proposal or publication that names them."""

    name: Name
    """The name as it is written on a paper."""
    orcid: Orcid | None = None
    """ORCID iD, without the address before it."""
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    """Address for mail; it stays in the catalog and never goes into a store."""
    role: Name | None = None
    """What they were, as in ``principal investigator``, ``local contact`` or a role of CRediT."""
    affiliation: Name | None = None
    """Where they work."""
