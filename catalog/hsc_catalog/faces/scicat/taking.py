"""Taking a SciCat dataset: its document as the record that hsc keeps and searches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hsc.model import (
    NAME_CHARACTERS,
    TEXT_CHARACTERS,
    Dataset,
    Kind,
    Origin,
    Person,
    Pid,
    Quantity,
    Technique,
)
from hsc_catalog.faces.scicat.fields import MADE_HERE, OLD_NAMES
from hsc_catalog.faces.scicat.paths import moment

LEADER = "principal investigator"
"""Role of a SciCat dataset's principal investigators."""

OWNER = "owner"
"""Role of a SciCat dataset's owner."""

CONTACT = "contact"
"""Role of whoever reads a SciCat dataset's contact address, when that is nobody named."""

_PANET = ("http://purl.org/", "https://purl.org/")


def kept_document(posted: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is kept of a posted dataset: everything but what the server says itself.

    What ``/api/v3`` calls by other names gets those of ``/api/v4``.
    """
    document = {name: value for name, value in posted.items() if name not in MADE_HERE}
    for old, new in OLD_NAMES.items():
        value = document.pop(old, None)
        if value not in (None, "", []) and not document.get(new):
            document[new] = value if isinstance(value, list) else [value]
    document.pop("pid", None)
    return document


def dataset_from(
    document: Mapping[str, Any], *, pid: Pid, facility: str, origin: Origin, created: datetime
) -> Dataset:
    """Make hsc's record of a SciCat dataset; what has no place in it stays in the document.

    Parameters
    ----------
    document
        The dataset as `kept_document` gives it.
    pid, facility, origin, created
        What SciCat's document does not say in hsc's words.
    """
    started, ended = _time(document, "startTime"), _time(document, "endTime")
    if started and ended and ended < started:
        started = ended = None
    techniques = _techniques(document)
    return Dataset(
        pid=pid,
        kind=_kind(document),
        title=_text(document, "datasetName") or _text(document, "sourceFolder") or str(pid),
        description=_text(document, "description"),
        facility=facility,
        instrument=(_first(document, "instrumentIds") or "").removeprefix(f"{facility}/") or None,
        proposal=_first(document, "proposalIds"),
        sample=_first(document, "sampleIds"),
        technique=techniques[0].name if techniques else None,
        techniques=techniques,
        people=_people(document),
        created=created,
        collected=_time(document, "creationTime"),
        started=started,
        ended=ended,
        origin=origin,
        bytes_in=0,
        bytes_out=0,
        quantities=quantities_of(document.get("scientificMetadata")),
        scientific_metadata=_object(document, "scientificMetadata"),
        keywords=tuple(_texts(document, "keywords")),
        license=_name(document.get("license")),
        visibility="public" if document.get("isPublished") is True else "group",
    )


def groups_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the groups that may see a dataset: its owner's, and those it is opened to."""
    named = [document.get("ownerGroup"), *_texts(document, "accessGroups")]
    return tuple(sorted({name for name in map(_name, named) if name}))


def quantities_of(metadata: Any) -> dict[str, Quantity]:
    """Find numbers with units in scientific metadata: ``{"value": 12.4, "unit": "keV"}``.

    Those in objects inside are named by their path with dots. Numbers without a unit, and texts
    that look like numbers, are none: what they mean is not known.

    Examples
    --------
    >>> quantities_of({"beam": {"energy": {"value": 12, "unit": "keV"}}, "n": 3})
    {'beam.energy': Quantity(value=12.0, unit='keV')}
    """
    found: dict[str, Quantity] = {}
    _collect(metadata, "", found)
    return found


def _collect(value: Any, path: str, found: dict[str, Quantity]) -> None:
    if not isinstance(value, Mapping) or len(found) >= 1000 or path.count(".") > 8:
        return
    number, unit = _number(value.get("value")), value.get("unit")
    if path and number is not None and isinstance(unit, str):
        if len(path) <= NAME_CHARACTERS and len(unit) <= 200:
            found[path] = Quantity(value=number, unit=unit.strip() or "1")
        return
    for name, inside in value.items():
        _collect(inside, f"{path}.{name}" if path else str(name), found)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 and math.isfinite(value) else None


def _kind(document: Mapping[str, Any]) -> Kind:
    said = str(document.get("type", "")).casefold()
    if said in set(Kind):
        return Kind(said)
    # SciCat's sites name types of their own: what has inputs was derived.
    return Kind.DERIVED if document.get("inputDatasets") else Kind.RAW


def _people(document: Mapping[str, Any]) -> tuple[Person, ...]:
    leaders = _texts(document, "principalInvestigators")
    people = [Person(name=name, role=LEADER) for name in map(_name, leaders) if name]
    email = _email(document.get("ownerEmail"))
    if owner := _name(document.get("owner")):
        orcid = document.get("orcidOfOwner")
        people.append(_owner(owner, email, orcid if isinstance(orcid, str) else None))
    contact = _email(document.get("contactEmail"))
    if contact and contact != email:
        people.append(Person(name=contact, email=contact, role=CONTACT))
    return tuple(people)


def _owner(name: str, email: str | None, orcid: str | None) -> Person:
    try:
        return Person(name=name, email=email, orcid=orcid, role=OWNER)
    except ValueError:
        # SciCat takes any text for an ORCID iD; the document keeps it.
        return Person(name=name, email=email, role=OWNER)


def _email(value: Any) -> str | None:
    first = value.split(";")[0].strip() if isinstance(value, str) else ""
    parts = first.split("@")
    good = len(parts) == 2 and all(parts) and len(first) <= 254 and not set(first) & set(" \t\n")
    return first if good and first.isprintable() else None


def _techniques(document: Mapping[str, Any]) -> tuple[Technique, ...]:
    found = []
    for each in document.get("techniques") or []:
        if isinstance(each, Mapping) and (name := _name(each.get("name"))):
            term = str(each.get("pid") or "")
            known = term.startswith(_PANET) and term.isprintable() and " " not in term
            found.append(Technique(name=name, iri=term if known and len(term) < 200 else None))
    return tuple(found)


def _texts(document: Mapping[str, Any], name: str) -> list[str]:
    value = document.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _first(document: Mapping[str, Any], name: str) -> str | None:
    return next((each for each in map(_name, _texts(document, name)) if each), None)


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value[:TEXT_CHARACTERS] if isinstance(value, str) and value else None


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= NAME_CHARACTERS else None


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return dict(value) if isinstance(value, Mapping) else {}


def _time(document: Mapping[str, Any], name: str) -> datetime | None:
    value = document.get(name)
    return moment(value) if isinstance(value, str) else None
