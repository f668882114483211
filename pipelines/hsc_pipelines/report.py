"""What came of a run, as log lines and as a table in Prefect's pages."""

from __future__ import annotations

import logging
from typing import Any

from hsc.jobs import IngestReport, ReducedDataset
from hsc_pipelines.prefect_kit import create_table_artifact

Log = logging.Logger | logging.LoggerAdapter[logging.Logger]


def ingest_rows(report: IngestReport) -> list[dict[str, Any]]:
    """Give one row for each path: what went in, or what was wrong with it."""
    rows: list[dict[str, Any]] = [
        {
            "path": dataset.source,
            "state": "there already" if dataset.existing else "ingested",
            "pid": f"{dataset.pid.latest()}@{dataset.version}",
            "bytes_in": dataset.bytes_in,
            "bytes_out": dataset.bytes_out,
            "GB_per_s": round(dataset.bytes_in / max(dataset.seconds, 1e-9) / 1e9, 3),
            "gaps": len(dataset.gaps),
            "error": "",
        }
        for dataset in report.datasets
    ]
    rows += [
        {
            "path": failure.path,
            "state": "failed",
            "pid": "",
            "bytes_in": 0,
            "bytes_out": 0,
            "GB_per_s": 0.0,
            "gaps": 0,
            "error": f"{failure.error}: {failure.message}",
        }
        for failure in report.errors
    ]
    return rows


def show_ingest(report: IngestReport, log: Log) -> None:
    """Write what became of each path to the run's log, and keep it as the artifact ``ingested``."""
    rows = ingest_rows(report)
    for row in rows:
        if row["error"]:
            log.error("%s: %s", row["path"], row["error"])
        else:
            log.info(
                "%s: %s as %s, %.3f GB, %.3f GB/s, %d gaps",
                *(row["path"], row["state"], row["pid"]),
                *(row["bytes_in"] / 1e9, row["GB_per_s"], row["gaps"]),
            )
    _keep(rows, key="ingested", description="What became of each path", log=log)


def show_reduction(reduced: ReducedDataset, log: Log) -> None:
    """Write what a reduction gave to the run's log, and keep it as the artifact ``reduced``."""
    log.info("%s gave %s in %.1f s", reduced.reduction, reduced.pid, reduced.seconds)
    rows: list[dict[str, Any]] = [
        {"name": "pid", "value": str(reduced.pid)},
        {"name": "reduction", "value": reduced.reduction},
        {"name": "inputs", "value": ", ".join(reduced.inputs)},
        {"name": "seconds", "value": reduced.seconds},
        *({"name": name, "value": str(value)} for name, value in reduced.results.items()),
    ]
    _keep(rows, key="reduced", description="What the reduction gave", log=log)


def _keep(rows: list[dict[str, Any]], *, key: str, description: str, log: Log) -> None:
    try:
        create_table_artifact(table=rows, key=key, description=description)
    except Exception as error:
        # The datasets are committed and registered: a server that went away must not turn that
        # into a failed ingest. The same facts stand in the log and in the catalog.
        log.warning("the artifact %s could not be kept: %s", key, error)
