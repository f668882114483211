"""Recipes, several datasets of one role, and what an activity says of all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hsc.cli.recipes import read_recipe
from hsc.cli.reduce import number_lines
from hsc.errors import ParameterError
from hsc.model import ActivityState
from hsc.reductions import REDUCTIONS
from hsc.testing.reductions import EXAMPLES


@pytest.fixture
def sample(tmp_path: Path, hsc):
    with pytest.MonkeyPatch.context() as place:
        place.setenv("HSC_HOME", str(hsc.home))
        return EXAMPLES["azimuthal"](hsc.home).inputs[0][1]


def test_a_recipe_names_the_reduction_and_its_inputs(hsc, sample, tmp_path):
    recipe = tmp_path / "p.toml"
    recipe.write_text(f'reduction = "azimuthal"\nbins = 33\n[inputs]\nsample = "{sample}"\n')
    done = hsc.json("reduce", "--recipe", recipe, "-p", "solid_angle=false")
    assert done["reduction"] == "azimuthal"
    assert done["results"]["bins"] == 33
    with hsc.catalog() as catalog:
        (told,) = (each for each in catalog.activities(limit=9) if each.type == "reduce")
    sources = told.parameters["sources"]
    assert (sources["bins"], sources["solid_angle"], sources["q_min_per_nm"]) == (
        "recipe", "-p", "default",
    )  # fmt: skip
    assert told.parameters["inputs"] == [["sample", f"{sample}@1"]]
    assert told.parameters["order"]
    assert told.parameters["cpu"]
    facts = told.parameters["facts"]["/entry/reduction/input"]
    assert len(facts["masks_blake3"]) >= 64
    assert "bins" not in facts
    assert {"numpy", "scipy", "llvmlite", "pyFAI"} <= set(told.environment.packages)
    assert hsc.json("reproduce", done["pid"])["verdict"] == "identical"
    again = hsc.json("reduce", "azimuthal", sample, "--recipe", recipe, "-p", "bins=34")
    assert again["results"]["bins"] == 34
    refused = hsc.json("reduce", "biosaxs", "--recipe", recipe, code=1)
    assert refused["error"] == "ParameterError"
    assert hsc.json("reduce", "-p", "bins=3", code=2)["error"] == "UsageError"
    wrong = hsc.json("reduce", "azimuthal", f"sample={sample}", f"sample={sample}", code=1)
    assert "takes one" in wrong["message"]


@pytest.mark.parametrize(
    "text",
    [
        "bins =",
        "inputs = 3",
        "[inputs]\nsample = 7",
        "reduction = 3",
        '[inputs]\nx = "y"',
        '[input]\nmask = "y"',
        "bins = 2\n[parameters]\nbins = 3",
    ],
)
def test_a_recipe_that_means_nothing_is_an_error_that_names_it(tmp_path, text):
    recipe = tmp_path / "p.toml"
    recipe.write_text(text)
    with pytest.raises(ParameterError) as caught:
        read_recipe(recipe)
    assert caught.value.where == str(recipe)


def test_what_is_given_twice_is_refused(hsc, sample):
    refused = hsc.json("reduce", "azimuthal", sample, "-p", "bins=5", "-p", "bins=6", code=1)
    assert "bins is given twice: 5 and 6" in refused["message"]
    names = ("reduce", "biosaxs", f"sample={sample}", f"buffer={sample}")
    assert "nothing would be left" in hsc.json(*names, code=1)["message"]
    both = hsc.json(*names, f"sample={sample}@1", code=1)
    assert f"{sample} twice" in both["message"]
    with hsc.catalog() as catalog:
        failed = catalog.activities(state=ActivityState.FAILED)[0]
    # Who is at the place sees what failed there.
    assert failed.facility == "local"
    assert failed.used == (f"{sample}@1",)
    assert failed.failure.where == both["where"]
    assert both["where"] == f"biosaxs sample={sample} buffer={sample} sample={sample}@1"


def test_every_input_has_an_edge_in_its_role_and_the_strictest_decides(hsc, sample):
    mask = hsc.json("reduce", "statistics", sample)["pid"]
    hsc("access", mask, "--class", "human", "--reason", "told by a test")
    made = hsc.json("reduce", "statistics", f"sample={sample}", f"mask={mask}")["pid"]
    edges = hsc.json("lineage", made, "--up")["edges"]
    derived = {
        (each["object"], each["role"])
        for each in edges
        if each["subject"] == f"{made}@1" and each["predicate"] == "was_derived_from"
    }
    assert derived == {(f"{sample}@1", "sample"), (f"{mask}@1", "mask")}
    assert hsc.json("access", made)["access_class"] == "human"
    assert hsc.json("show", made)["record"]["bytes_in"] == sum(
        hsc.json("show", pid)["record"]["bytes_out"] for pid in (sample, mask)
    )


def test_the_list_of_reductions_says_of_each_in_a_line_what_it_finds_and_takes(hsc):
    lines = hsc("reductions").stdout.splitlines()
    for each in REDUCTIONS.values():
        at = lines.index(f"{each.name}: {each.summary}")
        assert lines[at + 1].split() == " ".join(one.usage for one in each.inputs).split()


def test_numbers_of_several_things_are_told_in_blocks():
    told = {"rg_nm": 2.36989, "absolute": None, "warnings": [], "peaks": [{"a": 1, "b": "x"}, {}]}
    assert list(number_lines(told)) == ["rg_nm = 2.36989", "peaks:", "- a = 1", "  b = x"]
    assert list(number_lines({"lacking": ["one", "other"]})) == ["lacking:", "  one", "  other"]
