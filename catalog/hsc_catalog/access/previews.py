"""Previews: whether small pictures of a dataset may be shown to those who see it."""

from __future__ import annotations

from typing import Protocol

from hsc.model import AccessClass


class Classed(Protocol):
    """What has a class of access: `hsc.model.Access`, `AccessSet`."""

    @property
    def access_class(self) -> AccessClass:
        """Give the class."""
        ...


def may_preview(access: Classed) -> bool:
    """Tell whether previews of a dataset may leave the store; of people's data none may.

    Examples
    --------
    >>> from hsc.model import Access
    >>> may_preview(Access(access_class="human")), may_preview(Access())
    (False, True)
    """
    return access.access_class != "human"


def may_feed(access: Classed) -> bool:
    """Tell whether a dataset may stand in feeds and harvests once it is public.

    Examples
    --------
    >>> from hsc.model import Access
    >>> may_feed(Access(visibility="public", access_class="proprietary"))
    False
    """
    return access.access_class == "open"
