"""Zarr to Zarr: frames of a dataset to curves, images and numbers of a derived one."""

from hsc.reductions.azimuthal.integration import integrate
from hsc.reductions.azimuthal.stack import stack_of
from hsc.reductions.azimuthal.tables import pixel_table
from hsc.reductions.base import Input, Inputs, Outputs, Reduction, SourceArray, SourceDataset
from hsc.reductions.biosaxs.analysis import Analysis, AnalysisParameters, analyse
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.guinier import GuinierFit, GuinierParameters, fit_guinier
from hsc.reductions.biosaxs.similarity import compare_pairs, probabilities
from hsc.reductions.geometry import Geometry
from hsc.reductions.listing import ReductionListing, list_reduction
from hsc.reductions.statistics.summing import sum_stack
from hsc.reductions.table import REDUCTIONS, find_reduction

__all__ = [
    "REDUCTIONS",
    "Analysis",
    "AnalysisParameters",
    "Curve",
    "Geometry",
    "GuinierFit",
    "GuinierParameters",
    "Input",
    "Inputs",
    "Outputs",
    "Reduction",
    "ReductionListing",
    "SourceArray",
    "SourceDataset",
    "analyse",
    "compare_pairs",
    "find_reduction",
    "fit_guinier",
    "integrate",
    "list_reduction",
    "pixel_table",
    "probabilities",
    "stack_of",
    "sum_stack",
]
