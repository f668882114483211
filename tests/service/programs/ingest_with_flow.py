"""Ingests the paths it is given through PrefectRunner, as ``hsc ingest --flow`` does."""

from __future__ import annotations

import json
import sys

from hsc.jobs import IngestRequest
from hsc.workers import Silent
from hsc_pipelines.runner import PrefectRunner

report = PrefectRunner().ingest(IngestRequest(paths=tuple(sys.argv[1:])), Silent())
sys.stdout.write(json.dumps(report.document()))
