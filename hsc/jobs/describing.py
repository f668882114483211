"""What the record of a dataset says: of one that was ingested, and of one that was reduced."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hsc.ingestion import Plan, summary
from hsc.jobs.placing import Target, by_path
from hsc.jobs.requests import IngestRequest
from hsc.layouts import (
    LASTING,
    SAMPLE_NUMBERS,
    Facts,
    find_technique,
    instruments,
    technique_family,
)
from hsc.model import Dataset, Facility, Kind, Quantity, Sample, Technique, now, plain_text
from hsc.store import Manifest

_AS_MEASURED = 0
_SAME_WITHIN = 1e-6  # relative; a monochromator that did not move is read out so


def raw_record(
    plan: Plan, target: Target, manifest: Manifest, request: IngestRequest, facility: Facility
) -> Dataset:
    """Word the record of an ingested dataset."""
    facts, name = plan.run.facts, plain_text(plan.run.name)
    sample = request.sample or facts.sample
    instrument = facility.instrument(facts.instrument)
    techniques = measured_with(facility.id, instrument, facts)
    return Dataset(
        pid=target.pid,
        version=target.version,
        kind=plan.run.kind,
        title=facts.title or (f"{sample}: {name}" if sample else name),
        description=facts.sample_description if sample == facts.sample else None,
        facility=facility.id,
        instrument=instrument,
        proposal=request.proposal or facts.proposal,
        sample=sample,
        technique=techniques[0].name if techniques else None,
        techniques=techniques,
        people=facts.people,
        created=now(),
        collected=facts.collected,
        started=facts.collected,
        ended=facts.ended,
        source_id=plan.source_id,
        root=manifest.root,
        layout=plan.run.layout,
        location=target.url,
        bytes_in=plan.bytes_in,
        bytes_out=manifest.nbytes,
        arrays=by_path([summary(planned.spec) for planned in plan.arrays]),
        gaps=manifest.gaps,
        quantities=dict(facts.quantities),
        scientific_metadata=dict(facts.metadata),
        keywords=(name,),
        level=_AS_MEASURED if plan.run.kind is Kind.RAW else None,
    )


def described_sample(dataset: Dataset, facts: Facts) -> Sample | None:
    """Give what the files say of the sample; None where they are silent or mean another one."""
    if facts.sample is None or facts.sample != dataset.sample:
        return None
    said = {name: facts.quantities[name] for name in SAMPLE_NUMBERS if name in facts.quantities}
    return Sample(
        facility=dataset.facility,
        proposal=dataset.proposal,
        id=facts.sample,
        name=facts.sample,
        description=facts.sample_description,
        formula=facts.formula,
        quantities=said,
    )


def without_people(dataset: Dataset) -> Dataset:
    """Give a record without its people, as it may stand in a store that forgets nothing."""
    return dataset.model_copy(update={"people": ()})


def measured_with(facility: str, instrument: str | None, facts: Facts) -> tuple[Technique, ...]:
    """Give the technique that the file's definition and the instrument agree on.

    Detectors write their maker's definition (``NXmx``) wherever they stand. So what the instrument
    is not made for is not believed, and an instrument for one technique measures that.
    """
    known = instruments().get(f"{facility}/{instrument}")
    said = facts.technique
    if known is None:
        return (said,) if said else ()
    if said is not None:
        family = technique_family(said.name)
        sharper = [each for each in known.techniques if each.name in family]
        if sharper:
            return (sharper[0],) if len(sharper) == 1 else (said,)
        if any(said.name in technique_family(each.name) for each in known.techniques):
            return (said,)
    return known.techniques if len(known.techniques) == 1 else ()


def inherited(first: Dataset, inputs: Sequence[Dataset], technique: str | None) -> dict[str, Any]:
    """Give what a reduced dataset has from its inputs, as fields of its record.

    Parameters
    ----------
    first
        The input that it is about: the sample, not its buffer.
    inputs
        All inputs, ``first`` among them.
    technique
        What the reduction says that was measured; None: as the first input says.
    """
    if technique is None or first.technique in technique_family(technique):
        name, techniques = first.technique, first.techniques  # the input's word is the sharper one
    else:
        found = find_technique(technique)
        name, techniques = technique, (found,) if found else ()
    starts = [start for each in inputs if (start := each.started or each.collected)]
    ends = [each.ended for each in inputs if each.ended]
    return {
        "facility": first.facility,
        "instrument": first.instrument,
        "proposal": first.proposal,
        "sample": first.sample,
        "technique": name,
        "techniques": techniques,
        "people": first.people,
        "collected": first.collected,
        "started": min(starts, default=None),
        "ended": max(ends, default=None) if len(ends) == len(inputs) else None,
    }


def lasting(first: Dataset, inputs: Sequence[Dataset]) -> Mapping[str, Quantity]:
    """Give the quantities of the first input that hold for what comes of it.

    One that another input contradicts does not.
    """
    others = [each.quantities for each in inputs if each is not first]
    return {
        name: quantity
        for name in LASTING
        if (quantity := first.quantities.get(name))
        and all(_same(quantity, each.get(name, quantity)) for each in others)
    }


def _same(one: Quantity, other: Quantity) -> bool:
    (value, dimension), (second, also) = one.comparable(), other.comparable()
    return dimension == also and math.isclose(value, second, rel_tol=_SAME_WITHIN)
