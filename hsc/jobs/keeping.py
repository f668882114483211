"""Telling a catalog of the nouns that a dataset names: facility, instrument, proposal, sample."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from hsc.client import Catalog
from hsc.errors import ConflictError, ForbiddenError, RecordNotFoundError
from hsc.layouts import facilities, instruments
from hsc.model import Dataset, Instrument, Noun, Proposal, Sample, noun_kind

_LOG = logging.getLogger(__name__)


def keep_nouns(catalog: Catalog, dataset: Dataset, sample: Sample | None = None) -> None:
    """Keep the nouns that a dataset names and the catalog has not; what it has stays.

    Parameters
    ----------
    catalog
        Where to.
    dataset
        The record that names them.
    sample
        What is known of its sample; None: the name.
    """
    for noun in _named(dataset, sample):
        kind = noun_kind(noun)
        try:
            catalog.find(kind, noun.key)
        except RecordNotFoundError:
            try:
                catalog.keep(noun)
            except (ForbiddenError, ConflictError) as error:
                # The dataset names it all the same; who may describe it can do that any time, or
                # did, where it is there and not for us to see.
                _LOG.info("the catalog takes no %s %s from here: %s", kind, noun.key, error)


def _named(dataset: Dataset, sample: Sample | None) -> Iterator[Noun]:
    facility = facilities().get(dataset.facility)
    if facility is not None:
        yield facility
    if dataset.instrument:
        bare = Instrument(
            facility=dataset.facility, name=dataset.instrument, techniques=dataset.techniques
        )
        yield instruments().get(bare.key, bare)
    if dataset.proposal:
        known = (dataset.instrument,) if dataset.instrument else ()
        yield Proposal(facility=dataset.facility, number=dataset.proposal, instruments=known)
    if dataset.sample:
        yield sample or Sample(
            facility=dataset.facility,
            proposal=dataset.proposal,
            id=dataset.sample,
            name=dataset.sample,
        )
