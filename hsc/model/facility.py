"""Facility: who measured, under which PID prefix, in which time zone, at which place."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hsc.model.limits import LISTED, Name
from hsc.model.technique import Iri
from hsc.model.wire import Record, VersionedRecord

# Crockford's base 32 without I, L, O, U, in small letters, as ROR writes it.
_BASE_32 = "0123456789abcdefghjkmnpqrstvwxyz"


def ror(text: str) -> str:
    """Give an identifier of the Research Organization Registry in its full form.

    Raises
    ------
    ValueError
        It is none: ``0``, six characters of base 32, and two digits that check them
        (ISO/IEC 7064, MOD 97-10: 98 - (n * 100) mod 97).

    Examples
    --------
    >>> ror("01js2sh04")
    'https://ror.org/01js2sh04'
    """
    short = text.strip().removeprefix("https://ror.org/")
    number, digits = short[:7], short[7:]
    right = len(short) == 9 and short[0] == "0" and digits.isdecimal() and digits.isascii()
    if right and all(each in _BASE_32 for each in number):
        value = 0
        for each in number:
            value = value * 32 + _BASE_32.index(each)
        if 98 - (value * 100) % 97 == int(digits):
            return f"https://ror.org/{short}"
    raise ValueError(f"{text!r} is no ROR identifier: write it as https://ror.org/01js2sh04")


Ror = Annotated[str, AfterValidator(ror)]
"""An identifier of the Research Organization Registry, in its full form."""


class Place(Record):
    """Where on earth something stands."""

    town: Name
    """Name of the town."""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    """Two letters of ISO 3166."""
    latitude_deg: float = Field(ge=-90, le=90)
    """Degrees north."""
    longitude_deg: float = Field(ge=-180, le=180)
    """Degrees east."""


class Policy(Record):
    """What a facility promises of data."""

    embargo_days: int | None = Field(default=None, ge=0, le=36_525)
    """Days from the measurement until what is open becomes public; None: no rule."""
    retention_days: int | None = Field(default=None, ge=0, le=36_525)
    """Days that it keeps data at least; None: no rule."""
    page: Iri | None = None
    """Where the policy is written down."""


class Facility(VersionedRecord):
    """A facility as its data file describes it."""

    format: Literal["hsc.facility/1"] = "hsc.facility/1"
    """Name and version of this wire form."""
    id: Name
    """Short id, as in ``maxiv``."""
    name: Name
    """Full name."""
    short: Name | None = None
    """The name that people use, as in ``MAX IV``; None: the full one."""
    pid_prefix: Name
    """Prefix of the PIDs of its datasets."""
    time_zone: Name
    """IANA time zone that its instruments write local times in."""
    ror: Ror | None = None
    """Its ROR identifier; None: it has none, or none that was verified."""
    host_ror: Ror | None = None
    """ROR identifier of the organization that runs it, where that has another one."""
    place: Place | None = None
    """Where it stands."""
    page: Iri | None = None
    """Its page on the web."""
    endpoints: dict[Name, Iri] = Field(default_factory=dict, max_length=LISTED)
    """Its services: ``catalog`` and the like, to their addresses."""
    policy: Policy | None = None
    """What it promises of data; None: not known."""
    instruments: dict[Name, Name] = Field(default_factory=dict, max_length=LISTED)
    """Names that files give instruments, to the facility's own; upper and lower case are one."""

    @property
    def key(self) -> str:
        """What it is found by: its short id."""
        return self.id

    def instrument(self, name: str | None) -> str | None:
        """Give an instrument's own name; one that the facility does not list stays as it is."""
        known = {written.casefold(): own for written, own in self.instruments.items()}
        return known.get(name.casefold(), name) if name else name
