"""What NeXus files say of a measurement: people, sample, proposal, times, technique, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import h5py

from hsc.layouts.fact_table import NUMBERS, PROPOSAL, TEXTS
from hsc.layouts.nexus_fields import UNREADABLE, Fields, one_text
from hsc.layouts.run import Facts
from hsc.layouts.technique_table import find_technique
from hsc.model import Person, Quantity, Technique

# Planck constant times speed of light in keV angstrom (CODATA 2018, exact constants).
_HC_KEV_ANGSTROM = 12.398419843320026
_MOST_PEOPLE = 100
_LONGEST_NAME = 500
# The techniques whose NeXus definition leaves open what was scattered.
_BY_PROBE = {"SAS": {"x-ray": "SAXS", "neutron": "SANS"}}


def read_facts(file: h5py.File, time_zone: str) -> Facts:
    """Read what a file says of its measurement; what it does not say stays None.

    Parameters
    ----------
    file
        An open file.
    time_zone
        IANA zone of times that are written without one.
    """
    entry = _entry(file)
    if entry is None:
        return Facts()
    fields = Fields(entry)
    probe = _probe(fields)
    started = _time(
        fields.text("start_time", "NXinstrument/NXdetector/detectorSpecific/data_collection_date"),
        time_zone,
    )
    ended = _time(fields.text("end_time"), time_zone)
    return Facts(
        title=fields.text("title") or "",
        instrument=_name(fields, "NXinstrument/name", "NXinstrument/short_name"),
        proposal=_name(fields, *PROPOSAL),
        sample=_name(fields, "NXsample/name"),
        sample_description=fields.text("NXsample/description"),
        formula=_name(fields, "NXsample/chemical_formula"),
        collected=started,
        ended=ended if ended and not (started and ended < started) else None,
        people=_people(fields),
        technique=_technique(fields, probe),
        quantities=_quantities(fields, probe),
        metadata=_metadata(fields),
    )


def _entry(file: h5py.File) -> h5py.Group | None:
    for name in sorted(map(str, file)):
        try:
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                continue
            node = file[name]
            kind = node.attrs.get("NX_class", "")
        except UNREADABLE:  # the walk names what can't be read; here it is as good as absent
            continue
        if isinstance(node, h5py.Group) and one_text(kind) == "NXentry":
            return node
    return None


def _name(fields: Fields, *paths: str) -> str | None:
    text = fields.text(*paths)
    return text[:_LONGEST_NAME] if text else None


def _probe(fields: Fields) -> str:
    """Give ``x-ray``, ``neutron``, or an empty text where the file does not say."""
    said = (fields.text(*TEXTS["source"]["probe"]) or "").casefold().replace("_", "-")
    if "neutron" in said:
        return "neutron"
    return "x-ray" if "x-ray" in said or "xray" in said or "synchrotron" in said else ""


def _technique(fields: Fields, probe: str) -> Technique | None:
    definition = fields.text("definition", "NXsubentry/definition")
    found = find_technique(definition) if definition else None
    if found is None:
        return None
    sharper = _BY_PROBE.get(found.name, {}).get(probe)
    return find_technique(sharper) if sharper else found


def _people(fields: Fields) -> tuple[Person, ...]:
    # Addresses for mail stay in the file: nobody asked those people.
    people = []
    for group in fields.groups("NXuser")[:_MOST_PEOPLE]:
        person = Fields(group)
        name = _name(person, "name")
        if not name:
            continue
        facts = {"role": _name(person, "role"), "affiliation": _name(person, "affiliation")}
        try:
            made = Person(name=name, orcid=_name(person, "ORCID", "orcid"), **facts)
        except ValueError:  # an ORCID whose digits do not fit would name somebody else
            made = Person(name=name, **facts)
        if made not in people:
            people.append(made)
    return tuple(people)


def _quantities(fields: Fields, probe: str) -> Mapping[str, Quantity]:
    found = {
        name: quantity
        for name, sought in NUMBERS.items()
        if (quantity := fields.quantity(sought)) is not None
    }
    if probe == "neutron":
        found.pop("photon_energy", None)
        return found
    if "photon_energy" not in found and "wavelength" in found:
        wavelength = found["wavelength"].si()
        if wavelength is not None and wavelength[0] > 0 and wavelength[1] == "[length]^1":
            energy_keV = _HC_KEV_ANGSTROM / (wavelength[0] * 1e10)  # noqa: N806 (the unit's sign)
            found["photon_energy"] = Quantity(value=energy_keV, unit="keV")
    return found


def _metadata(fields: Fields) -> dict[str, Any]:
    found = {
        group: {name: text for name, paths in texts.items() if (text := fields.text(*paths))}
        for group, texts in TEXTS.items()
    }
    return {group: texts for group, texts in found.items() if texts}


def _time(text: str | None, time_zone: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))
