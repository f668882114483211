"""A curve as an NXcanSAS entry, and the steps that led to it."""

from __future__ import annotations

from collections.abc import Sequence

from hsc.reductions import nexus
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.steps import Step
from hsc.store import NewArray, NewGroup

Part = tuple[list[NewGroup], list[NewArray]]
"""Groups and arrays of one part of a tree."""

_VERSION = "1.1"
# Units by the end of a term's name, in the spelling of NXcanSAS; longest first.
_UNITS = {
    "_cm_per_g": "cm/g",
    "_per_nm": "1/nm",
    "_kda": "kDa",
    "_nm2": "nm^2",
    "_nm3": "nm^3",
    "_nm": "nm",
    "_s": "s",
}


def join_parts(parts: Sequence[Part]) -> Part:
    """Put parts of a tree together, in their order."""
    return [one for groups, _ in parts for one in groups], [
        one for _, arrays in parts for one in arrays
    ]


def sas_entry(path: str, *, title: str, run: str) -> Part:
    """Write the head of an NXcanSAS entry; its curve is the group ``data``."""
    return (
        [nexus.group(path, "NXentry", canSAS_class="SASentry", version=_VERSION, default="data")],
        [
            nexus.scalar(f"{path}/definition", "NXcanSAS"),
            nexus.scalar(f"{path}/title", title),
            nexus.scalar(f"{path}/run", run),
        ],
    )


def sas_data(path: str, curve: Curve, unit: str, long_name: str, dimension: str = "Q") -> Part:
    """Write a curve as an NXcanSAS data group.

    Parameters
    ----------
    path
        The group.
    curve
        The curve.
    unit
        ``arbitrary`` or ``1/cm``.
    long_name
        What the intensity is.
    dimension
        Name of the axis; curves on the same points share it.
    """
    dims = (dimension,)
    group = nexus.group(
        path, "NXdata", canSAS_class="SASdata", signal="I", axes=["Q"], I_axes="Q", Q_indices=[0]
    )
    return (
        [group],
        [
            nexus.array(f"{path}/Q", curve.q_per_nm, dims, "1/nm", long_name="scattering vector"),
            nexus.array(
                f"{path}/I", curve.intensity, dims, unit, long_name=long_name, uncertainties="Idev"
            ),
            nexus.array(f"{path}/Idev", curve.error, dims, unit),
        ],
    )


def sas_sample(path: str, name: str | None, concentration_g_per_l: float | None) -> Part:
    """Write what is known of the sample."""
    arrays = [nexus.scalar(f"{path}/name", name or "unknown")]
    if concentration_g_per_l is not None:
        arrays.append(nexus.scalar(f"{path}/concentration", concentration_g_per_l, "g/L"))
    return [nexus.group(path, "NXsample", canSAS_class="SASsample")], arrays


def sas_steps(entry: str, steps: Sequence[Step], version: str) -> Part:
    """Write what was done, each step as a process of NeXus and of NXcanSAS.

    No date stands here: the same inputs and parameters give the same bytes. When it was done,
    and with which packages, is in the activity.
    """
    parts: list[Part] = []
    for number, step in enumerate(steps, start=1):
        path = f"{entry}/{number:02d}_{step.name}"
        program = "hsc" if step.program == "hsc" else f"hsc with {step.program}"
        arrays = [
            nexus.scalar(f"{path}/name", step.title),
            nexus.scalar(f"{path}/description", step.description),
            nexus.scalar(f"{path}/sequence_index", number),
            nexus.scalar(f"{path}/program", program),
            nexus.scalar(f"{path}/version", version),
        ]
        arrays += [
            nexus.scalar(
                f"{path}/{name}", value, unit_of(name) if isinstance(value, float) else None
            )
            for name, value in step.terms.items()
        ]
        parts.append(([nexus.group(path, "NXprocess", canSAS_class="SASprocess")], arrays))
    return join_parts(parts)


def unit_of(name: str) -> str | None:
    """Read a unit off the end of a name; None: there is none.

    Examples
    --------
    >>> unit_of("q_min_per_nm"), unit_of("rg_nm"), unit_of("chi2")
    ('1/nm', 'nm', None)
    """
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), None)
