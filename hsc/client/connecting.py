"""Connecting to a catalog by its URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import entry_points

from hsc import settings
from hsc.client.catalog import Catalog
from hsc.errors import ConfigurationError

GROUP = "hsc.catalogs"
"""Entry points of catalogs: named by URL scheme, each a function from URL to Catalog."""


def connect(url: str | None = None) -> Catalog:
    """Connect to a catalog; the URL's scheme says which kind.

    Parameters
    ----------
    url
        As in ``sqlite:////data/catalog.sqlite``; by default what `hsc.settings.catalog_url` gives.

    Raises
    ------
    ConfigurationError
        No installed catalog answers to the URL's scheme.
    CatalogUnavailableError
        The catalog can't be opened.

    Examples
    --------
    >>> connect("ftp://user:secret@example.org/catalog")
    Traceback (most recent call last):
    hsc.errors.ConfigurationError: no catalog answers to 'ftp://example.org/catalog'
      next:  use a URL that begins with postgresql://, sqlite://, in HSC_CATALOG or in the call
    """
    url = settings.catalog_url() if url is None else url
    scheme = url.partition("://")[0].partition("+")[0].lower()
    kinds = {point.name: point for point in entry_points(group=GROUP)}
    if "://" not in url or scheme not in kinds:
        known = ", ".join(f"{name}://" for name in sorted(kinds))
        raise ConfigurationError(
            f"no catalog answers to {_without_credentials(url)!r}",
            next_step=f"use a URL that begins with {known}, in HSC_CATALOG or in the call"
            if known
            else "install hanseatic-science-cloud again: it came without any kind of catalog",
        )
    open_catalog: Callable[[str], Catalog] = kinds[scheme].load()
    return open_catalog(url)


def _without_credentials(url: str) -> str:
    # Cut to the last @, wherever: a password may hold any sign. Parameters may hold secrets too.
    return re.sub(r"^([^/]*://)?.*@", r"\1", url, flags=re.DOTALL).partition("?")[0]
