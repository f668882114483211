"""Connecting to a catalog by its URL."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from hsc import settings
from hsc.client.catalog import Catalog
from hsc.client.exchange import without_credentials
from hsc.client.http import HttpCatalog
from hsc.errors import ConfigurationError
from hsc.store import bind_token

GROUP = "hsc.catalogs"
"""Entry points of catalogs: named by URL scheme, each a function from URL to Catalog."""

_WEB = ("http", "https")


def connect(url: str | None = None, *, token: str | None = None, create: bool = True) -> Catalog:
    """Connect to a catalog; the URL's scheme says which kind.

    Parameters
    ----------
    url
        As in ``sqlite:////data/catalog.sqlite`` or ``https://catalog.example.org``; by default
        what `hsc.settings.catalog_url` gives.
    token
        Token, or secret of a reviewer's link, for a catalog over HTTP; in this process it is sent
        to that server and to no other. By default ``HSC_TOKEN``, where ``HSC_CATALOG`` names the
        same server, or the one that `hsc login` kept.
    create
        Whether to make a catalog where a file is named that is not there; without it that is an
        error, except for the file below ``HSC_HOME`` that nobody named.

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
      next:  use a URL that begins with http://, https://, postgresql://, sqlite://, in HSC_CATALOG
    """
    named = url is not None or settings.catalog_named()
    url = settings.catalog_url() if url is None else url
    scheme = url.partition("://")[0].partition("+")[0].lower()
    if scheme in _WEB and "://" in url:
        return _over_http(url, token)
    kinds = {point.name: point for point in entry_points(group=GROUP)}
    if "://" not in url or scheme not in kinds:
        known = ", ".join(f"{name}://" for name in sorted({*kinds, *_WEB}))
        raise ConfigurationError(
            f"no catalog answers to {without_credentials(url)!r}",
            next_step=f"use a URL that begins with {known}, in HSC_CATALOG",
        )
    if token is not None:
        raise ConfigurationError(f"a catalog of kind {scheme} takes no token")
    open_catalog: Callable[..., Catalog] = kinds[scheme].load()
    if scheme == "sqlite" and named:
        return open_catalog(url, create=create)
    return open_catalog(url)


def _over_http(url: str, token: str | None) -> Catalog:
    catalog = HttpCatalog(url)
    if token is not None:
        bind_token(catalog.url, token)
    return catalog
