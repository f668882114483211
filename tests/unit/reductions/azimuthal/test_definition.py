"""Trees of integrated frames against the NeXus definitions NXazint1d and NXazint2d."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.reductions.azimuthal.reduction import AZIMUTHAL, reduce_azimuthal
from hsc.workers import Silent, ThreadWorkers

# Read in nexusformat/definitions, contributed_definitions/NXazint1d.nxdl.xml @23317c67 and
# NXazint2d.nxdl.xml @026224be: what is not optional there, below the NXentry or NXsubentry, with
# class or kind of number; and, of all fields, number of dimensions and words of attributes. (The
# second is no well-formed XML and can be read by people only: the lists stand here instead.)
GROUPS = {
    "instrument": "NXinstrument",
    "instrument/monochromator": "NXmonochromator",
    "instrument/source": "NXsource",
    "reduction": "NXprocess",
    "reduction/input": "NXparameters",
    "data": "NXdata",
}
FIELDS = {
    "definition": "U",
    "instrument/name": "U",
    "instrument/monochromator/wavelength": "f",
    "instrument/monochromator/energy": "f",
    "instrument/source/name": "U",
    "instrument/source/type": "U",
    "instrument/source/probe": "U",
    "reduction/program": "U",
    "reduction/version": "U",
    "reduction/reference": "U",
    "data/I": "f",
    "data/radial_axis": "f",
}
FLAGS = ("solid_angle_applied", "polarization_applied", "normalization_applied")
WORDS = {
    "data/I": {"long_name": "intensity", "units": "arbitrary units"},
    "data/I_errors": {"long_name": "estimated intensity error", "units": "arbitrary units"},
    "data/norm": {
        "long_name": "number of pixels contributing to the corresponding bin",
        "units": "arbitrary units",
    },
}
# Dimensions by the definitions' symbols, of the one in curves and of the other in cakes.
SYMBOLS = {
    "data/I": (["nImg", "nRad"], ["nImg", "nEta", "nRad"]),
    "data/I_errors": (["nImg", "nRad"], ["nImg", "nEta", "nRad"]),
    "data/radial_axis": (["nRad"], ["nRad"]),
    "data/radial_axis_edges": (["nRadEdge"], ["nRadEdge"]),
    "data/norm": (["nRad"], ["nEta", "nRad"]),
    "data/azimuthal_axis": (None, ["nEta"]),
    "data/azimuthal_axis_edges": (None, ["nEtaEdge"]),
    "monitor/data": (["nImg"], ["nImg"]),
}
# A date would make other bytes of the same inputs each time; the activity has it.
LEFT_OUT = "reduction/date"


def reduced(dataset, **parameters):
    outputs = AZIMUTHAL.run({"": dataset}, {"bins": 20, **parameters}, ThreadWorkers(1))
    groups = {one.path: one.attributes for one in outputs.tree.groups}
    return groups, {one.path: one for one in outputs.tree.arrays}


def check(at, groups, fields):
    assert groups["/entry"]["NX_class"] == "NXentry"
    for path, nx_class in GROUPS.items():
        assert groups[f"{at}/{path}"]["NX_class"] == nx_class
    for path, kind in FIELDS.items():
        assert fields[f"{at}/{path}"].values.dtype.kind == kind, path
    for name in FLAGS:
        assert fields[f"/entry/{name}"].values.dtype.kind == "b"
    for path, words in WORDS.items():
        assert words.items() <= dict(fields[f"{at}/{path}"].attributes).items()
    assert f"{at}/{LEFT_OUT}" not in fields


@pytest.mark.parametrize(
    ("unit", "name", "said"),
    [("q_nm^-1", "q", "1/nm"), ("q_A^-1", "q", "1/angstrom"), ("2th_deg", "2theta", "degrees")],
)
def test_curves_are_arranged_as_nxazint1d_demands(in_memory, random_frames, unit, name, said):
    groups, fields = reduced(in_memory(random_frames()), radial_unit=unit)
    check("/entry", groups, fields)
    assert fields["/entry/definition"].values.item() == "NXazint1d"
    attributes = groups["/entry/data"]
    assert attributes["signal"] == "I"
    assert attributes["axes"] == [".", "radial_axis"]
    assert attributes["interpretation"] == "spectrum"
    axis, edges = fields["/entry/data/radial_axis"], fields["/entry/data/radial_axis_edges"]
    assert (axis.attributes["long_name"], axis.attributes["units"]) == (name, said)
    assert edges.attributes["long_name"] == f"{name} bin edges"
    assert fields["/entry/data/I"].values.shape == (13, 20)
    assert fields["/entry/data/norm"].values.shape == (20,)
    assert len(edges.values) == 21
    assert np.all((edges.values[:-1] < axis.values) & (axis.values < edges.values[1:]))


def test_cakes_are_arranged_as_nxazint2d_demands(in_memory, random_frames):
    groups, fields = reduced(in_memory(random_frames()), azimuthal_bins=8, radial_unit="q_A^-1")
    at = "/entry/azint2d"
    check(at, groups, fields)
    assert groups[at]["NX_class"] == "NXsubentry"
    assert fields[f"{at}/definition"].values.item() == "NXazint2d"
    attributes = groups[f"{at}/data"]
    assert attributes["axes"] == [".", "azimuthal_axis", "radial_axis"]
    assert attributes["interpretation"] == "image"
    assert fields[f"{at}/data/I"].values.shape == (13, 8, 20)
    assert fields[f"{at}/data/norm"].values.shape == (8, 20)
    axis = fields[f"{at}/data/azimuthal_axis"]
    assert axis.attributes == {"units": "degrees", "long_name": "azimuthal bin center"}
    edges = fields[f"{at}/data/azimuthal_axis_edges"]
    assert edges.attributes["long_name"] == "azimuthal bin edges"
    assert len(edges.values) == 9


def test_a_monitor_that_was_used_stands_beside(in_memory, random_frames, picture):
    values = np.linspace(1, 2, 13)
    dataset = in_memory(random_frames(), monitor=picture(values))
    groups, fields = reduced(dataset, monitor=True)
    assert groups["/entry/monitor"]["NX_class"] == "NXmonitor"
    assert np.array_equal(fields["/entry/monitor/data"].values, values.astype(np.float32))
    assert fields["/entry/normalization_applied"].values.item()
    groups, fields = reduced(dataset)
    assert "/entry/monitor" not in groups
    assert not fields["/entry/normalization_applied"].values.item()


@pytest.mark.parametrize("cake", [False, True])
def test_all_fields_have_the_dimensions_that_the_definitions_give_them(
    in_memory, random_frames, picture, cake
):
    dataset = in_memory(random_frames(), monitor=picture(np.linspace(1, 2, 13)))
    asked = {"monitor": True, **({"azimuthal_bins": 8} if cake else {})}
    _, fields = reduced(dataset, **asked)
    at = "/entry/azint2d" if cake else "/entry"
    lengths = {"nImg": 13, "nRad": 20, "nRadEdge": 21, "nEta": 8, "nEtaEdge": 9}
    for path, symbols in SYMBOLS.items():
        if symbols[cake] is None:
            assert f"{at}/{path}" not in fields
        else:
            shape = fields[f"{at}/{path}"].values.shape
            assert shape == tuple(lengths[symbol] for symbol in symbols[cake]), path
    known = {path.removeprefix("data/") for path in SYMBOLS if path.startswith("data/")}
    inside = {path.rsplit("/", 1)[1] for path in fields if path.startswith(f"{at}/data/")}
    assert inside == known - (set() if cake else {"azimuthal_axis", "azimuthal_axis_edges"})


@pytest.mark.parametrize("unit", ["q_A^-1", "2th_deg"])
def test_axes_of_cakes_have_the_words_that_the_definition_knows(in_memory, random_frames, unit):
    _, fields = reduced(in_memory(random_frames()), azimuthal_bins=8, radial_unit=unit)
    axis = fields["/entry/azint2d/data/radial_axis"].attributes
    edges = fields["/entry/azint2d/data/radial_axis_edges"].attributes
    assert axis["long_name"] in {"q", "2theta"}
    assert edges["long_name"] in {"q bin edges", "2theta bin edges"}
    assert {axis["units"], edges["units"]} <= {"1/angstrom", "degrees"}


@pytest.mark.parametrize("cake", [0, 4])
@pytest.mark.parametrize("most_numbers", [10**7, 1])
def test_without_an_error_model_no_errors_of_zero_stand_there(
    in_memory, random_frames, cake, most_numbers
):
    asked = AZIMUTHAL.parse({"bins": 5, "azimuthal_bins": cake, "error_model": "none"})
    inputs = AZIMUTHAL.bind({"": in_memory(random_frames())})
    outputs = reduce_azimuthal(inputs, asked, ThreadWorkers(1), Silent(), most_numbers)
    arrays = {one.path.rpartition("/")[2]: one for one in outputs.tree.arrays}
    for stream in outputs.streams:
        arrays |= {one.path.rpartition("/")[2]: one for one in stream.arrays}
    assert not {"I_errors", "variance"} & arrays.keys()
    assert "uncertainties" not in arrays["I"].attributes
    assert sorted(outputs.tree.roles) == ["intensity", "q"]
