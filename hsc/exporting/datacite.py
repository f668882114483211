"""DataCite metadata of datasets and publications, kernel 4: the one mapping that all faces use.

https://datacite-metadata-schema.readthedocs.io/en/4.5/. Mail addresses never leave the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from hsc.model import (
    Access,
    Dataset,
    Facility,
    Funding,
    Instrument,
    Person,
    Proposal,
    Publication,
    now,
)

_KERNEL = "http://datacite.org/schema/kernel-4"
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_SPDX = re.compile(r"[A-Za-z0-9.+-]+")
# Roles in a record, and what DataCite calls who has them; all others are creators.
_CONTRIBUTORS = {
    "contact": "ContactPerson",
    "contact person": "ContactPerson",
    "local contact": "ContactPerson",
    "data curator": "DataCurator",
    "data manager": "DataManager",
    "supervisor": "Supervisor",
}
_RELATIONS = {
    "measurement": "HasPart",
    "result": "HasPart",
    "calibration": "Requires",
    "dark": "Requires",
    "reference": "References",
}

RelationType = Literal["IsDerivedFrom", "IsSourceOf"]
Attributes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Citation:
    """What a dataset's metadata are made of."""

    dataset: Dataset
    """The record."""
    facility: Facility | None = None
    """Who publishes; None: only its short id is known."""
    instrument: Instrument | None = None
    """What it was measured with; None: not known."""
    proposal: Proposal | None = None
    """What it was measured for; None: not known, or not for who asks."""
    access: Access | None = None
    """How it stands: an embargo's end is the date when it becomes available."""
    page: str | None = None
    """Address of its landing page."""
    related: Mapping[str, RelationType] = field(default_factory=dict)
    """PIDs of datasets that it came from or that came of it, with the relation."""


def datacite_of_dataset(citation: Citation) -> Attributes:
    """Word a dataset as the attributes of a DataCite DOI.

    Parameters
    ----------
    citation
        The record, and what is known around it.

    Returns
    -------
    dict
        Values that JSON can hold, valid by DataCite's schema. Without people the facility is the
        creator, for DataCite wants one.
    """
    dataset, facility = citation.dataset, citation.facility
    attributes: Attributes = {
        **_identity(str(dataset.pid), citation.page),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": f"{dataset.kind.value} data"},
        "creators": _creators(dataset.people, facility, dataset.facility),
        "contributors": _contributors(dataset.people, facility),
        "titles": [{"title": dataset.title or str(dataset.pid)}],
        "publisher": _publisher(facility, dataset.facility),
        "publicationYear": _year(citation),
        "subjects": _subjects(dataset),
        "dates": _dates(citation),
        "sizes": [f"{dataset.bytes_out} bytes"] if dataset.bytes_out else [],
        "formats": ["application/vnd+zarr"] if dataset.root else [],
        "version": str(dataset.version),
        "rightsList": _rights(dataset.license),
        "descriptions": _description(dataset.description),
        "relatedIdentifiers": [*_related(citation.related), *_instrument(citation.instrument)],
        "fundingReferences": _funding(citation.proposal),
        "schemaVersion": _KERNEL,
    }
    return _told(attributes)


def datacite_of_publication(
    publication: Publication, *, facility: Facility | None, page: str | None = None
) -> Attributes:
    """Word a publication as the attributes of a DataCite DOI: a collection of its datasets.

    Returns
    -------
    dict
        Values that JSON can hold, valid by DataCite's schema.
    """
    moment = publication.published
    members = [
        {
            **_identifier(str(member.dataset)),
            "relationType": _RELATIONS[member.role],
            "resourceTypeGeneral": "Dataset",
        }
        for member in publication.members
    ]
    concept = publication.concept_doi
    whole = [{**_identifier(concept), "relationType": "IsVersionOf"}] if concept else []
    attributes: Attributes = {
        **_identity(publication.doi or publication.id, publication.page or page),
        "types": {"resourceTypeGeneral": "Collection", "resourceType": "datasets"},
        "creators": _creators(publication.creators, facility, publication.facility or "unknown"),
        "titles": [{"title": publication.title}],
        "publisher": _publisher(facility, publication.facility or "unknown"),
        "publicationYear": str((moment or now()).year),
        "subjects": [{"subject": word} for word in publication.keywords],
        "dates": [{"date": _day(moment), "dateType": "Issued"}] if moment else [],
        "version": str(publication.version),
        "rightsList": _rights(publication.license),
        "descriptions": _description(publication.abstract),
        "relatedIdentifiers": [*members, *whole],
        "fundingReferences": [_fund(each) for each in publication.funding],
        "schemaVersion": _KERNEL,
    }
    return _told(attributes)


def _told(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if value not in (None, [], "")}


def _identity(pid: str, page: str | None) -> Attributes:
    if _DOI.fullmatch(pid):
        return {"doi": pid, "url": page}
    own = {"alternateIdentifier": pid, "alternateIdentifierType": "hsc PID"}
    return {"alternateIdentifiers": [own], "url": page}


def _creators(people: Iterable[Person], facility: Facility | None, short: str) -> list[Attributes]:
    made = [_person(each) for each in people if _kind(each) is None]
    if made:
        return made
    return [{**_organization(facility, short), "nameType": "Organizational"}]


def _contributors(people: Iterable[Person], facility: Facility | None) -> list[Attributes]:
    named = [{**_person(each), "contributorType": _kind(each)} for each in people if _kind(each)]
    if facility is None:
        return named
    host = {**_organization(facility, facility.id), "nameType": "Organizational"}
    return [*named, {**host, "contributorType": "HostingInstitution"}]


def _kind(person: Person) -> str | None:
    return _CONTRIBUTORS.get((person.role or "").casefold().replace("_", " "))


def _person(person: Person) -> Attributes:
    told: Attributes = {"name": person.name, "nameType": "Personal"}
    if person.orcid:
        told["nameIdentifiers"] = [
            {
                "nameIdentifier": f"https://orcid.org/{person.orcid}",
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ]
    if person.affiliation:
        told["affiliation"] = [{"name": person.affiliation}]
    return told


def _organization(facility: Facility | None, short: str) -> Attributes:
    if facility is None:
        return {"name": short}
    told: Attributes = {"name": facility.name}
    if facility.ror:
        told["nameIdentifiers"] = [
            {
                "nameIdentifier": facility.ror,
                "nameIdentifierScheme": "ROR",
                "schemeUri": "https://ror.org",
            }
        ]
    return told


def _publisher(facility: Facility | None, short: str) -> Attributes:
    if facility is None or not facility.ror:
        return {"name": facility.name if facility else short}
    return {
        "name": facility.name,
        "publisherIdentifier": facility.ror,
        "publisherIdentifierScheme": "ROR",
        "schemeUri": "https://ror.org",
    }


def _year(citation: Citation) -> str:
    access = citation.access
    released = access.embargo_until if access else None
    return str((released or citation.dataset.created).year)


def _dates(citation: Citation) -> list[Attributes]:
    dataset, access = citation.dataset, citation.access
    began, ended = dataset.started or dataset.collected, dataset.ended
    dates = [{"date": _day(dataset.created), "dateType": "Created"}]
    if began is not None:
        span = _day(began) if ended is None else f"{_day(began)}/{_day(ended)}"
        dates.append({"date": span, "dateType": "Collected"})
    if access is not None and access.embargo_until is not None:
        dates.append({"date": _day(access.embargo_until), "dateType": "Available"})
    return dates


def _subjects(dataset: Dataset) -> list[Attributes]:
    terms: dict[str, Attributes] = {}
    for technique in dataset.techniques:
        told: Attributes = {"subject": technique.name}
        if technique.iri:
            told |= {"subjectScheme": "PaNET", "valueUri": technique.iri}
        terms[technique.name] = told
    if dataset.technique:
        terms.setdefault(dataset.technique, {"subject": dataset.technique})
    for word in dataset.keywords:
        terms.setdefault(word, {"subject": word})
    return list(terms.values())


def _related(related: Mapping[str, RelationType]) -> list[Attributes]:
    return [
        {**_identifier(pid), "relationType": relation, "resourceTypeGeneral": "Dataset"}
        for pid, relation in related.items()
    ]


def _instrument(instrument: Instrument | None) -> list[Attributes]:
    if instrument is None or not instrument.pid:
        return []
    told = {"relationType": "IsCollectedBy", "resourceTypeGeneral": "Instrument"}
    return [{**_identifier(instrument.pid), **told}]


def _identifier(pid: str) -> Attributes:
    whole = pid.removeprefix("https://doi.org/")
    if _DOI.fullmatch(whole):
        return {"relatedIdentifier": whole, "relatedIdentifierType": "DOI"}
    if pid.startswith(("http://", "https://")):
        return {"relatedIdentifier": pid, "relatedIdentifierType": "URL"}
    return {"relatedIdentifier": f"urn:hsc:dataset:{pid}", "relatedIdentifierType": "URN"}


def _funding(proposal: Proposal | None) -> list[Attributes]:
    return [_fund(each) for each in proposal.funding] if proposal else []


def _fund(funding: Funding) -> Attributes:
    told: Attributes = {"funderName": funding.funder}
    if funding.ror:
        told |= {"funderIdentifier": funding.ror, "funderIdentifierType": "ROR"}
    return told | ({"awardNumber": funding.award} if funding.award else {})


def _rights(license_id: str | None) -> list[Attributes]:
    if not license_id:
        return []
    told: Attributes = {"rights": license_id}
    if _SPDX.fullmatch(license_id):
        told |= {
            "rightsIdentifier": license_id,
            "rightsIdentifierScheme": "SPDX",
            "schemeUri": "https://spdx.org/licenses/",
            "rightsUri": f"https://spdx.org/licenses/{license_id}.html",
        }
    return [told]


def _description(text: str | None) -> list[Attributes]:
    return [{"description": text, "descriptionType": "Abstract"}] if text else []


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
