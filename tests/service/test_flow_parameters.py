"""A flow takes all that its job can be asked for: what the command sends must not be unknown."""

from __future__ import annotations

import inspect

import pytest

from hsc.jobs import IngestRequest, ReduceRequest
from hsc_pipelines import flows


@pytest.mark.parametrize(
    ("flow", "request_of"), [(flows.ingest, IngestRequest), (flows.reduce, ReduceRequest)]
)
def test_a_flow_takes_every_field_of_its_request(flow, request_of):
    taken = inspect.signature(flow.fn).parameters
    assert set(taken) == set(request_of.model_fields)
