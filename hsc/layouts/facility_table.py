"""The facilities and their instruments: one data file each, ``facilities/<id>.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from hsc.errors import ConfigurationError
from hsc.layouts.technique_table import techniques
from hsc.model import Facility, Instrument

DEFAULT = "local"
_FOLDER = Path(__file__).with_name("facilities")


@cache
def facilities() -> dict[str, Facility]:
    """Give all known facilities by their short id."""
    return {name: _facility(entry) for name, entry in _entries().items()}


@cache
def instruments() -> dict[str, Instrument]:
    """Give all known instruments by their key, as in ``maxiv/CoSAXS``."""
    made = [
        _instrument(name, each)
        for name, entry in _entries().items()
        for each in entry.get("instrument", ())
    ]
    return {instrument.key: instrument for instrument in made}


@cache
def _entries() -> dict[str, dict[str, Any]]:
    read = (tomllib.loads(path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.toml")))
    return {entry["id"]: entry for entry in read}


def _facility(entry: dict[str, Any]) -> Facility:
    names = {
        name: each["name"]
        for each in entry.get("instrument", ())
        for name in (each["name"], *each.get("aliases", ()))
    }
    return Facility(**{k: v for k, v in entry.items() if k != "instrument"}, instruments=names)


def _instrument(facility: str, entry: dict[str, Any]) -> Instrument:
    terms = tuple(techniques()[name].technique for name in entry.get("techniques", ()))
    return Instrument(**{**entry, "facility": facility, "techniques": terms})


def find_facility(name: str | None) -> Facility:
    """Give a facility by its short id; None means this computer.

    Raises
    ------
    ConfigurationError
        No facility has that id.
    """
    known = facilities()
    chosen = known.get(name or DEFAULT)
    if chosen is None:
        raise ConfigurationError(
            f"unknown facility {name!r}",
            next_step=f"give --facility or HSC_FACILITY one of: {', '.join(known)}",
        )
    return chosen
