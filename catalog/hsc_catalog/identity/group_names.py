"""Names of groups as a site has them, turned into the catalog's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import with_config

from hsc.errors import ConfigurationError
from hsc_catalog.identity.membership import is_name
from hsc_catalog.identity.settings_form import FORM


@with_config(FORM)
@dataclass(frozen=True)
class GroupName:
    """How the groups of one kind are called here.

    Examples
    --------
    >>> rule = GroupName(pattern="prop-(?P<number>[0-9]{8})", becomes="maxiv/{number}")
    >>> sorted(known_groups(["prop-20260123", "staff:maxiv/CoSAXS", "lunch"], [rule]))
    ['maxiv/20260123']
    >>> sorted(known_groups(["lunch"], []))
    ['lunch']
    """

    pattern: str
    """Regular expression that a site's name matches as a whole, with named parts."""
    becomes: str
    """The catalog's name, with the parts in braces, as in ``maxiv/{number}``."""

    def __post_init__(self) -> None:
        try:
            compiled = re.compile(self.pattern)
            self.becomes.format(**dict.fromkeys(compiled.groupindex, ""))
        except (re.error, KeyError, IndexError, ValueError, AttributeError) as error:
            raise ConfigurationError(
                f"a rule for names of groups can't be used: {error}", where=self.pattern
            ) from error


def known_groups(names: Iterable[object], rules: Sequence[GroupName]) -> frozenset[str]:
    """Give the catalog's names of groups; with rules, of those alone that one matches.

    What can't name a group here is left out, above all names that would pass for a person's or
    for staff.
    """
    made = (_renamed(name, rules) for name in names if isinstance(name, str))
    return frozenset(name for name in made if name is not None and is_name(name))


def _renamed(name: str, rules: Sequence[GroupName]) -> str | None:
    if not rules:
        return name
    for rule in rules:
        if found := _compiled(rule.pattern).fullmatch(name):
            return rule.becomes.format(**found.groupdict(default=""))
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
