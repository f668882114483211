"""Masks, flat fields and darks of NPY, TIFF, EDF and Fit2D files: every value, or a plain no."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from fabio.edfimage import EdfImage
from fabio.fit2dmaskimage import Fit2dMaskImage
from fabio.tifimage import TifImage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from hsc.errors import LayoutError, NotHdf5Error, SourceTooLargeError
from hsc.layouts import read_run
from hsc.model import Kind

PIXELS = np.arange(12, dtype="u2").reshape(3, 4)


def read(path, layout=None):
    return read_run(path, layout=layout, time_zone="UTC")


def values(run, role):
    path = run.roles[role]
    (held,) = [each for each in run.arrays if each.path == path]
    found = held.pieces[0].dataset.read(str(run.files[0].path), path)
    assert found.flags.c_contiguous
    assert found.dtype.isnative
    return found


def refused(path, layout="dark"):
    with pytest.raises(LayoutError) as caught:
        read(path, layout)
    assert str(path) in caught.value.where
    assert caught.value.next_step
    return caught.value.message


def saved(path, array):
    np.save(path, array)
    return path


def edf(path, *frames, header=None):
    image = EdfImage(data=frames[0], header=dict(header or {}))
    for frame in frames[1:]:
        image.append_frame(data=frame, header=dict(header or {}))
    image.write(str(path))
    return path


@given(
    array=hnp.arrays(
        st.sampled_from(["|u1", "<u2", ">u2", ">i4", "<u8", "<f4", ">f8", "<f2"]),
        st.tuples(st.integers(1, 5), st.integers(1, 5)),
    ),
    fortran=st.booleans(),
)
def test_every_bit_of_an_npy_file_is_read_in_whatever_order(tmp_path_factory, array, fortran):
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    saved(path, np.asfortranarray(array) if fortran else array)
    found = values(read(path, "dark"), "dark")
    assert found.dtype == array.dtype.newbyteorder("=")
    assert found.tobytes() == array.astype(found.dtype).tobytes()  # NaN included


def test_a_picture_of_booleans_or_of_0_and_1_is_a_mask_by_itself(tmp_path):
    run = read(saved(tmp_path / "a.npy", np.eye(3, dtype=bool)))
    assert (run.layout, run.kind, set(run.roles)) == ("mask", Kind.CALIBRATION, {"pixel_mask"})
    assert read(saved(tmp_path / "b.npy", np.eye(3, dtype="i4"))).layout == "mask"


@pytest.mark.parametrize(
    "array", [PIXELS, np.eye(3), np.zeros((3, 3), "u1"), np.ones((3, 3), "u1")]
)
def test_what_a_picture_is_has_to_be_said_where_its_numbers_do_not(tmp_path, array):
    path = saved(tmp_path / "a.npy", array)
    with pytest.raises(LayoutError, match="can't be known from its content") as caught:
        read(path)
    assert caught.value.next_step == ("say it: --layout mask, --layout flatfield or --layout dark")
    assert read(path, "flatfield").roles == {"flatfield": "/entry/instrument/detector/flatfield"}


def test_a_mask_of_bits_is_kept_as_it_is(tmp_path):
    bits = (PIXELS * 3).astype("u4")
    assert (values(read(saved(tmp_path / "a.npy", bits), "mask"), "pixel_mask") == bits).all()


@pytest.mark.parametrize("array", [np.zeros((3, 3)), np.zeros((2, 3, 3), "u1")])
def test_a_mask_is_one_picture_of_whole_numbers(tmp_path, array):
    assert "can't be a pixel_mask" in refused(saved(tmp_path / "a.npy", array), "mask")


def test_objects_in_an_npy_file_are_never_unpickled(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([[print]], dtype=object), allow_pickle=True)
    assert "Python objects" in refused(path)


@pytest.mark.parametrize("dtype", ["c8", "U3", "M8[s]", [("a", "u1")]])
def test_elements_that_are_no_numbers_are_refused(tmp_path, dtype):
    assert "its elements are of the type" in refused(
        saved(tmp_path / "a.npy", np.zeros((2, 2), dtype))
    )


@pytest.mark.parametrize("shape", [(), (4,), (2, 2, 2, 2), (0, 3)])
def test_what_is_no_picture_is_refused(tmp_path, shape):
    assert "no picture" in refused(saved(tmp_path / "a.npy", np.zeros(shape)))


def test_a_file_that_ends_too_early_or_goes_on_is_refused(tmp_path):
    path = saved(tmp_path / "a.npy", PIXELS)
    whole = path.read_bytes()
    for nbytes in (whole[:-1], whole + b"x"):
        path.write_bytes(nbytes)
        assert "it should have" in refused(path)


def test_a_header_that_promises_too_much_is_refused_before_it_is_believed(tmp_path):
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f8", "fortran_order": False, "shape": (2**20, 2**20)}
        )
    with pytest.raises(SourceTooLargeError):
        read(path, "dark")


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "u4", "f4"])
def test_tiff_is_read_value_by_value(tmp_path, dtype):
    array = (PIXELS * 5).astype(dtype)
    TifImage(data=array).write(str(tmp_path / "a.tif"))
    found = values(read(tmp_path / "a.tif", "flatfield"), "flatfield")
    assert found.dtype == dtype
    assert (found == array).all()


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
def test_compressed_tiff_is_read_value_by_value(tmp_path, dtype, compression):
    array = (np.arange(300).reshape(15, 20) * 70 % 251).astype(dtype)
    array[0, 0] = 255
    Image.fromarray(array).save(tmp_path / "a.tif", compression=compression)
    found = values(read(tmp_path / "a.tif", "dark"), "dark")
    assert found.dtype == dtype
    assert (found == array).all()


@pytest.mark.parametrize("tags", [{274: 3}, {274: 4}, {262: 0}])
def test_a_compressed_tiff_is_refused_where_its_decoder_would_turn_or_invert_it(tmp_path, tags):
    image = Image.fromarray(PIXELS.astype("u1"))
    image.save(tmp_path / "a.tif", compression="tiff_lzw", tiffinfo=tags)
    assert "turn or invert" in refused(tmp_path / "a.tif")
    image.save(tmp_path / "b.tif", tiffinfo={274: 4})
    assert np.array_equal(values(read(tmp_path / "b.tif", "dark"), "dark"), PIXELS)


def test_a_tiff_of_several_pictures_is_a_stack(tmp_path):
    frames = [Image.fromarray(PIXELS + n) for n in range(3)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert (
        values(read(tmp_path / "a.tif", "dark"), "dark") == [PIXELS + n for n in range(3)]
    ).all()


def test_a_picture_in_colours_is_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4, 3), "u1")).save(tmp_path / "a.tif")
    assert "colours" in refused(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4", "f8"])
def test_edf_is_read_value_by_value_with_its_exposure_time(tmp_path, dtype):
    array = (PIXELS * 3).astype(dtype)
    run = read(edf(tmp_path / "a.edf", array, header={"ExposureTime": "0.25"}), "dark")
    found = values(run, "dark")
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    assert (found == array).all()
    assert values(run, "count_time") == 0.25
    (time,) = [each for each in run.arrays if each.path.endswith("count_time")]
    assert time.attributes["units"] == "s"


def test_a_big_endian_edf_is_read_value_by_value(tmp_path):
    head = (
        "{\nHeaderID = EH:000001:000000:000000 ;\nImage = 1 ;\nByteOrder = HighByteFirst ;\n"
        "DataType = UnsignedShort ;\nDim_1 = 4 ;\nDim_2 = 3 ;\nSize = 24 ;\n"
    )
    whole = head.encode().ljust(510) + b"}\n" + PIXELS.astype(">u2").tobytes()
    (tmp_path / "a.edf").write_bytes(whole)
    run = read(tmp_path / "a.edf", "dark")
    assert (values(run, "dark") == PIXELS).all()
    assert run.arrays[0].attributes["hsc:decoded"]["byte_order"] == "HighByteFirst"


def test_an_edf_of_several_frames_is_a_stack(tmp_path):
    path = edf(tmp_path / "a.edf", PIXELS, PIXELS + 1, PIXELS + 2)
    assert (values(read(path, "dark"), "dark") == [PIXELS, PIXELS + 1, PIXELS + 2]).all()


def test_frames_of_several_sizes_are_refused(tmp_path):
    assert "differ" in refused(edf(tmp_path / "a.edf", PIXELS, PIXELS[:2]))


def test_an_edf_that_ends_too_early_is_refused_not_filled_with_zeros(tmp_path):
    path = edf(tmp_path / "a.edf", PIXELS)
    path.write_bytes(path.read_bytes()[:-8])
    refused(path)


def test_an_edf_whose_bytes_are_in_another_file_is_refused(tmp_path):
    path = edf(tmp_path / "a.edf", PIXELS, header={"EDF_BinaryFileName": "other.bin"})
    (tmp_path / "other.bin").write_bytes(bytes(4096))
    assert "another file" in refused(path)


def test_a_fit2d_mask_is_a_mask(tmp_path):
    array = (np.arange(35 * 33).reshape(35, 33) % 7 == 0).astype("u1")
    Fit2dMaskImage(data=array).write(str(tmp_path / "a.msk"))
    run = read(tmp_path / "a.msk")
    assert run.layout == "mask"
    assert (values(run, "pixel_mask") == array).all()


def test_the_file_itself_is_kept_beside_what_was_read_of_it(tmp_path):
    run = read(saved(tmp_path / "a.npy", np.eye(3, dtype=bool)))
    assert [asset.name for asset in run.assets] == ["a.npy"]
    assert run.arrays[0].attributes["hsc:decoded"] == {
        "format": "npy", "dtype": "|b1", "order": "C"
    }  # fmt: skip


def test_what_is_compressed_around_is_no_picture(tmp_path):
    path = saved(tmp_path / "a.npy", PIXELS)
    (tmp_path / "b.npy").write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(NotHdf5Error):
        read(tmp_path / "b.npy")
