"""What the application's description says of a path: its methods, and what a query may name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

_METHODS = {"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "delete": "DELETE"}
# A key may have slashes, as that of an instrument does; all else is one part of a path.
_WIDE = "key"

Described = Mapping[str, Mapping[str, bool]]
"""By method: names that the query may have, and whether it may have them more than once."""


class DescribedPaths:
    """The paths of an application, as its OpenAPI description has them.

    Parameters
    ----------
    description
        Gives the description; asked once, when the first request comes.
    """

    def __init__(self, description: Callable[[], dict[str, Any]]) -> None:
        self._description = description

    def methods(self, path: str) -> frozenset[str]:
        """Give the methods that a path takes; none: it is not described."""
        found = set(self._find(path))
        if "GET" in found:
            found.add("HEAD")
        return frozenset(found)

    def unknown(
        self, path: str, method: str, query: Sequence[tuple[str, str]]
    ) -> list[dict[str, Any]]:
        """Give what is wrong with the names of a query, as FastAPI words it.

        A search that drops a misspelt facet would find what was not meant.
        """
        known = self._find(path)[method]
        listed = ", ".join(sorted(known)) or "none"
        faults = {}
        for name, count in Counter(name for name, _ in query).items():
            if name not in known:
                faults[name] = f"there is no such parameter; there are: {listed}"
            elif count > 1 and not known[name]:
                faults[name] = "it is given more than once"
        return [
            {"loc": ("query", name), "msg": why, "type": "query"} for name, why in faults.items()
        ]

    def _find(self, path: str) -> Described:
        for pattern, described in self._table:
            if pattern.fullmatch(path):
                return described
        return {}

    @cached_property
    def _table(self) -> list[tuple[re.Pattern[str], Described]]:
        paths = self._description()["paths"]
        # As the routes are tried: what is said in full before what is any text.
        ordered = sorted(
            paths, key=lambda path: [part == "{" + _WIDE + "}" for part in _parts(path)]
        )
        return [(_pattern(path), _described(paths[path])) for path in ordered]


def _parts(path: str) -> list[str]:
    return path.split("/")


def _pattern(path: str) -> re.Pattern[str]:
    def part(text: str) -> str:
        if not text.startswith("{"):
            return re.escape(text)
        return ".+" if text == "{" + _WIDE + "}" else "[^/]+"

    return re.compile("/".join(map(part, _parts(path))), re.DOTALL)


def _described(operations: Mapping[str, Any]) -> Described:
    return {
        _METHODS[method]: {
            each["name"]: each["schema"].get("type") == "array"
            for each in operation.get("parameters", ())
            if each["in"] == "query"
        }
        for method, operation in operations.items()
        if method in _METHODS
    }
