"""Mock DECTRIS runs are what plain h5py with hdf5plugin expects of the instrument's own."""

from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  (registers the filters)
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import ParameterError
from hsc.testing import DectrisRun, Detector, PixelMaskBit, write_dectris_run
from hsc.testing.dectris import frames_in_order

SMALL = Detector(shape=(44, 60), module_shape=(20, 60), gap_shape=(4, 10))


def counted(frames: int, dtype: str = "u2") -> np.ndarray:
    top = np.iinfo(dtype).max
    generator = np.random.default_rng(2)
    return generator.integers(0, top, (frames, *SMALL.shape), dtype, endpoint=True)


def written(folder: Path, **changes: object) -> Path:
    run = DectrisRun(detector=SMALL, **({"frames": 7, "frames_per_file": 3} | changes))
    return write_dectris_run(folder, run)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4"])
def test_the_frames_are_read_back_as_they_were_given(tmp_path: Path, dtype: str) -> None:
    stack = counted(7, dtype)
    run = DectrisRun(frames=7, frames_per_file=3, dtype=dtype, detector=SMALL)
    master = write_dectris_run(tmp_path, run, stack.__getitem__)
    with h5py.File(master) as file:
        data = file["entry/data"]
        assert list(data) == ["data_000001", "data_000002", "data_000003"]
        read = np.concatenate([data[name][()] for name in data])
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, stack)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4"])
def test_each_chunk_is_one_frame_through_bitshuffle_with_lz4(tmp_path: Path, dtype: str) -> None:
    written(tmp_path, dtype=dtype)
    size = np.dtype(dtype).itemsize
    with h5py.File(tmp_path / "series_1_data_000001.h5") as file:
        stack = file["entry/data/data"]
        assert stack.chunks == (1, 44, 60)
        assert stack.maxshape == (None, 44, 60)
        creation = stack.id.get_create_plist()
        assert creation.get_nfilters() == 1
        identity, _, values, _ = creation.get_filter(0)
        assert identity == 32008
        # Version (0, minor) is the filter's own; then element size, block 0 = automatic, 2 = LZ4.
        assert values[0] == 0
        assert values[2:] == (size, 0, 2)
        mask, chunk = stack.id.read_direct_chunk((1, 0, 0))
        assert mask == 0
        assert int.from_bytes(chunk[:8], "big") == 44 * 60 * size
        assert int.from_bytes(chunk[8:12], "big") == 8192


def test_links_are_relative_and_hold_when_the_folder_moves(tmp_path: Path) -> None:
    master = written(tmp_path / "here")
    with h5py.File(master) as file:
        links = [file["entry/data"].get(name, getlink=True) for name in file["entry/data"]]
    assert [link.filename for link in links] == [
        f"series_1_data_{number:06d}.h5" for number in (1, 2, 3)
    ]
    assert {link.path for link in links} == {"/entry/data/data"}
    (tmp_path / "here").rename(tmp_path / "there")
    with h5py.File(tmp_path / "there" / master.name) as file:
        assert file["entry/data/data_000003"].shape == (1, 44, 60)


def test_image_numbers_are_contiguous_and_the_last_file_is_shorter(tmp_path: Path) -> None:
    with h5py.File(written(tmp_path)) as file:
        stacks = [file["entry/data"][name] for name in file["entry/data"]]
        numbers = [
            (int(stack.attrs["image_nr_low"]), int(stack.attrs["image_nr_high"]))
            for stack in stacks
        ]
        lengths = [len(stack) for stack in stacks]
    assert numbers == [(1, 3), (4, 6), (7, 7)]
    assert lengths == [3, 3, 1]


@given(frames=st.integers(1, 5000), per_file=st.integers(1, 6000))
def test_the_data_files_hold_every_frame_once(frames: int, per_file: int) -> None:
    files = DectrisRun(frames=frames, frames_per_file=per_file).data_files()
    assert [number for _, numbers in files for number in numbers] == list(range(frames))
    assert {len(numbers) for _, numbers in files[:-1]} <= {per_file}
    assert len({name for name, _ in files}) == len(files)


def test_the_master_says_what_a_reduction_needs(tmp_path: Path) -> None:
    master = written(
        tmp_path,
        frames=8,
        triggers=2,
        wavelength_nm=0.124,
        distance_m=3.0,
        beam_center_px=(12.5, 30.25),
        count_cutoff=4000,
        frame_time_s=0.1,
    )
    with h5py.File(master) as file:
        wavelength = file["entry/instrument/beam/incident_wavelength"]
        assert wavelength.attrs["units"] == b"angstrom"
        assert wavelength[()] == pytest.approx(1.24)
        detector = file["entry/instrument/detector"]
        assert detector["detector_distance"].attrs["units"] == b"m"
        said = {
            name: float(detector[name][()])
            for name in (
                *("detector_distance", "beam_center_x", "beam_center_y", "x_pixel_size"),
                *("y_pixel_size", "frame_time", "bit_depth_image"),
            )
        }
        assert said["detector_distance"] == 3.0
        assert (said["beam_center_x"], said["beam_center_y"]) == (12.5, 30.25)
        assert said["x_pixel_size"] == said["y_pixel_size"] == pytest.approx(75e-6)
        assert said["frame_time"] == pytest.approx(0.1)
        assert said["bit_depth_image"] == 16
        specific = detector["detectorSpecific"]
        assert specific["countrate_correction_count_cutoff"][()] == 4000
        assert int(specific["nimages"][()]) * int(specific["ntrigger"][()]) == 8
        assert (specific["y_pixels_in_detector"][()], specific["x_pixels_in_detector"][()]) == (
            44,
            60,
        )
        assert specific["photon_energy"][()] == pytest.approx(9998.7, abs=0.1)
        assert specific["compression"][()] == b"bslz4"
        assert specific["pixel_mask"].dtype == "u4"
        assert ((specific["pixel_mask"][()] == PixelMaskBit.GAP) == SMALL.gaps()).all()
        assert specific["flatfield"].dtype == "f4"
        assert (specific["flatfield"][()] == 1).all()
        assert file["entry/sample/goniometer/omega"].shape == (8,)


def test_classes_and_texts_are_bytes_of_fixed_length(tmp_path: Path) -> None:
    with h5py.File(written(tmp_path, sample="lysozyme")) as file:
        classes = {}

        def visit(name: str, thing: object) -> None:
            if isinstance(thing, h5py.Group):
                kind = h5py.h5a.open(thing.id, b"NX_class").get_type()
                assert not kind.is_variable_str()
                classes[name] = thing.attrs["NX_class"]

        file.visititems(visit)
        assert file.attrs["default"] == b"entry"
        assert file["entry"].attrs["default"] == b"data"
        assert not file["entry/sample/name"].id.get_type().is_variable_str()
        assert file["entry/sample/name"][()] == b"lysozyme"
    assert classes["entry"] == b"NXentry"
    assert classes["entry/data"] == b"NXdata"
    assert classes["entry/instrument/detector"] == b"NXdetector"
    assert classes["entry/instrument/beam"] == b"NXbeam"
    assert len(classes) == 8


def test_what_is_not_known_is_not_written(tmp_path: Path) -> None:
    with h5py.File(written(tmp_path)) as file:
        assert set(file["entry"]) == {"data", "definition", "instrument", "sample", "start_time"}
        assert "name" not in file["entry/sample"]
        assert "name" not in file["entry/instrument"]


def test_proposal_title_and_instrument_stand_where_nexus_puts_them(tmp_path: Path) -> None:
    master = written(
        tmp_path,
        proposal="20260042",
        title="Kugeln, 3 Å",
        instrument="CoSAXS",
        entry_identifier="7",
    )
    with h5py.File(master) as file:
        assert file["entry/experiment_identifier"][()] == b"20260042"
        assert file["entry/entry_identifier"][()] == b"7"
        assert file["entry/title"].asstr()[()] == "Kugeln, 3 Å"
        assert file["entry/instrument/name"][()] == b"CoSAXS"


def test_the_same_run_has_the_same_bytes_whatever_the_number_of_threads(tmp_path: Path) -> None:
    run = DectrisRun(frames=11, frames_per_file=4, detector=SMALL, seed=6)
    for threads in (1, 3):
        write_dectris_run(tmp_path / str(threads), run, threads=threads)
    names = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(names) == 4
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


def test_another_seed_gives_other_frames(tmp_path: Path) -> None:
    stacks = []
    for seed in (0, 1):
        with h5py.File(written(tmp_path / str(seed), seed=seed)) as file:
            stacks.append(file["entry/data/data_000001"][()])
    assert (stacks[0] != stacks[1]).any()
    assert (stacks[0][:, SMALL.gaps()] == 65535).all()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_only_a_few_frames_are_made_ahead(threads: int) -> None:
    made: list[int] = []

    def frame(index: int) -> np.ndarray:
        made.append(index)
        return np.full((1, 1), index)

    taken = 0
    for one in frames_in_order(frame, 40, threads):
        assert one[0, 0] == taken
        taken += 1
        assert len(made) <= taken + 2 * threads
    assert taken == 40
    assert sorted(made) == list(range(40))


def test_an_error_in_a_frame_is_raised_to_the_caller(tmp_path: Path) -> None:
    stack = counted(3)
    run = DectrisRun(frames=5, detector=SMALL)
    with pytest.raises(IndexError):
        write_dectris_run(tmp_path, run, stack.__getitem__)


def test_a_frame_of_another_type_is_refused(tmp_path: Path) -> None:
    run = DectrisRun(frames=3, dtype="u4", detector=SMALL)
    with pytest.raises(ParameterError, match="the frame is uint16"):
        write_dectris_run(tmp_path, run, counted(3, "u2").__getitem__)


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="pixel mask"):
        write_dectris_run(
            tmp_path, DectrisRun(detector=SMALL), pixel_mask=np.zeros((3, 3), np.uint32)
        )


def test_a_run_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    written(tmp_path)
    before = (tmp_path / "series_1_data_000001.h5").read_bytes()
    with pytest.raises(FileExistsError):
        written(tmp_path, seed=9)
    assert (tmp_path / "series_1_data_000001.h5").read_bytes() == before


@pytest.mark.parametrize(
    "wrong", [{"dtype": "i4"}, {"frames": 0}, {"frames_per_file": 0}, {"frames": 5, "triggers": 2}]
)
def test_an_impossible_run_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        DectrisRun(**wrong)


@pytest.mark.parametrize(("dtype", "saturation"), [("u1", 254), ("u2", 50649), ("u4", 50649)])
def test_the_saturation_fits_the_type(dtype: str, saturation: int) -> None:
    assert DectrisRun(dtype=dtype).saturation == saturation
