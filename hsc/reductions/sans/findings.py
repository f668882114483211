"""What was found in the datasets and decides the result, and the numbers that people ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hsc.model import Quantity
from hsc.reductions.sans.intensity import Measured
from hsc.reductions.sans.measuring import KINDS, Runs
from hsc.reductions.sans.parameters import SansBins, SansParameters
from hsc.reductions.sans.spectrum import MonitorCounts
from hsc.reductions.sans.tree import SansResult

_MOST_TRANSMITTED = 1.05
_MOST_UNLIKE = 0.05


def facts_of(runs: Runs) -> dict[str, Any]:
    """Give what was found in the datasets and decides the result."""
    first = runs["sample"][0]
    found: dict[str, Any] = {
        f"{kind}_pixels_blake3": " ".join(sorted({run.geometry() for run in runs[kind]}))
        for kind in KINDS
        if runs[kind]
    }
    found["source_to_sample_m"] = first.banks[0].beam.length_m
    found["pulse_period_s"] = first.flight.period_s
    if first.flight.lookups:
        found["wavelength_from"] = "table by time of arrival and length of flight"
        keys = [each.key for each in first.flight.lookups]
        found["wavelength_table_blake3"] = " ".join(keys)
    elif first.flight.shortest_angstrom is None:
        found["wavelength_from"] = "time since the pulse"
    else:
        found["wavelength_from"] = "time since the pulse, or since the one before"
    return found


def warnings_of(runs: Runs, measured: Mapping[str, Measured]) -> list[str]:
    """Say what is assumed of the runs and was not checked, and what looks wrong, each once."""
    said = [text for each in runs.values() for run in each for text in run.flight.warnings()]
    names = {run.dataset.record.instrument for each in runs.values() for run in each}
    if len(names) > 1:
        told = ", ".join(sorted(name or "none named" for name in names))
        said.append(f"the runs are of different instruments: {told}")
    for kind, found in measured.items():
        mean = _mean_transmission(found)
        if mean > _MOST_TRANSMITTED:
            said.append(
                f"the transmission of the {kind} is {mean:.3g} on average, more than all: were "
                "the empty beam's run and the other, or the monitors, exchanged?"
            )
    return list(dict.fromkeys(said))


def background_warnings(runs: Runs, bins: SansBins, parameters: SansParameters) -> list[str]:
    """Say where a monitor's background is that of wider or narrower bins than it is taken from."""
    bounds = parameters.monitor_signal_min_angstrom, parameters.monitor_signal_max_angstrom
    if bounds == (None, None):
        return []
    said, wanted = [], float(np.diff(bins.wavelength.edges).mean())
    for run in (run for each in runs.values() for run in each):
        for monitor in (run.incident, run.transmitted):
            own = float(np.diff(monitor.edges).mean()) if isinstance(monitor, MonitorCounts) else 0
            if own and abs(wanted / own - 1) > _MOST_UNLIKE:
                said.append(
                    f"the background of a monitor is the mean of its own bins, {own:.3g} angstrom "
                    f"wide, and taken off bins of {wanted:.3g} angstrom, as esssans does: one that "
                    f"is even is {wanted / own:.3g} times as large; give bins of that width"
                )
    return list(dict.fromkeys(said))


def results_of(result: SansResult, warnings: list[str]) -> dict[str, Any]:
    """Give the few numbers that people ask for first."""
    left = result.sample.counts.left_out
    found: dict[str, Any] = {
        "sample_events": int(result.sample.counts.radial.sum()),
        "sample_events_of_unknown_pixels": int(left[0]),
        "sample_events_of_masked_pixels": int(left[1]),
        "sample_events_beyond_wavelengths": int(left[2]),
        "sample_events_beyond_q": int(left[3]),
        "bins": int(np.isfinite(result.curve.values).sum()),
        "transmission": _mean_transmission(result.sample),
    }
    if result.background:
        found["background_events"] = int(result.background.counts.radial.sum())
    if result.bands:
        spread = result.bands.spread()
        found["bands_chi2"] = None if spread is None else spread
    found["warnings"] = warnings
    return found


def quantities_of(result: SansResult) -> dict[str, Quantity]:
    """Give numbers to search by."""
    q, wavelength = result.used_q(), result.bins.wavelength.edges
    return {
        "transmission": Quantity(value=_mean_transmission(result.sample), unit="1"),
        "q_min": Quantity(value=float(q[0]), unit="1/angstrom"),
        "q_max": Quantity(value=float(q[-1]), unit="1/angstrom"),
        "wavelength_min": Quantity(value=float(wavelength[0]), unit="angstrom"),
        "wavelength_max": Quantity(value=float(wavelength[-1]), unit="angstrom"),
    }


def _mean_transmission(measured: Measured) -> float:
    """Give the transmission, averaged over the incident spectrum."""
    weights, values = measured.incident.values, measured.transmission.values
    seen = np.isfinite(values)
    return float((weights[seen] * values[seen]).sum() / weights[seen].sum())
