"""The facilities: one data file each, ``facilities/<id>.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from hsc.errors import ConfigurationError
from hsc.model import Facility

DEFAULT = "local"
_FOLDER = Path(__file__).with_name("facilities")


@cache
def facilities() -> dict[str, Facility]:
    """Give all known facilities by their short id."""
    read = (tomllib.loads(path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.toml")))
    return {entry["id"]: Facility(**entry) for entry in read}


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
