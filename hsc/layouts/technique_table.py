"""The techniques: terms of PaNET with the names people use, from ``techniques.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hsc.model import Technique

_FILE = Path(__file__).with_name("techniques.toml")
_PANET = "http://purl.org/pan-science/PaNET/PaNET"


@dataclass(frozen=True, slots=True)
class Term:
    """A technique with all that is known of it."""

    technique: Technique
    """The term and its usual name."""
    names: tuple[str, ...]
    """All names: the usual one, PaNET's label, others."""
    broader: tuple[str, ...]
    """Usual names of what it is a kind of."""
    definitions: tuple[str, ...]
    """NeXus application definitions that say it."""


@cache
def techniques() -> Mapping[str, Term]:
    """Give all known techniques by their usual name."""
    read = tomllib.loads(_FILE.read_text("utf-8"))["terms"]
    usual = {each.get("id", _usual(each)): _usual(each) for each in read}
    terms = {}
    for each in read:
        iri = f"{_PANET}{each['id']:05d}" if "id" in each else None
        name = _usual(each)
        terms[name] = Term(
            technique=Technique(iri=iri, name=name),
            names=tuple(dict.fromkeys((name, each["label"], *each.get("names", ())))),
            broader=tuple(usual[other] for other in each.get("broader", ())),
            definitions=tuple(each.get("definitions", ())),
        )
    return terms


def find_technique(name: str) -> Technique | None:
    """Find a technique by any of its names, its term or a NeXus definition; None: not known.

    Examples
    --------
    >>> find_technique("Small angle X-ray scattering").name
    'SAXS'
    >>> find_technique("NXmx").iri
    'http://purl.org/pan-science/PaNET/PaNET01164'
    """
    term = _by_any_name().get(name.strip().casefold())
    return term.technique if term else None


def technique_family(name: str) -> frozenset[str]:
    """Give every name and term of a technique and of all kinds of it, as records may have them.

    One that is not known is a family of its own.

    Examples
    --------
    >>> sorted(each for each in technique_family("SAXS") if each.isupper())
    ['GISAXS', 'SAXS']
    >>> technique_family("dowsing")
    frozenset({'dowsing'})
    """
    first = _by_any_name().get(name.strip().casefold())
    if first is None:
        return frozenset({name})
    found, left = {first.technique.name: first}, [first]
    while left:
        broader = left.pop().technique.name
        for other, term in techniques().items():
            if broader in term.broader and other not in found:
                found[other] = term
                left.append(term)
    terms = {term.technique.iri for term in found.values() if term.technique.iri}
    return frozenset({name for term in found.values() for name in term.names} | terms)


def _usual(entry: dict[str, str]) -> str:
    return entry.get("name") or entry["label"]


@cache
def _by_any_name() -> Mapping[str, Term]:
    found: dict[str, Term] = {}
    for term in techniques().values():
        iri = term.technique.iri
        for name in (
            *term.names,
            *term.definitions,
            *([iri, iri.rsplit("/", 1)[1]] if iri else ()),
        ):
            found.setdefault(name.casefold(), term)
    return found
