"""Model files: what was saved is loaded, and nothing else is believed."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nmfaudio._common.files import load_archive, save_archive
from nmfaudio.errors import AudioFileError, OutputError, ParameterError

HEADER = {"kind": "decomposition", "sr": 44100, "names": ["a", "b"], "nested": {"x": None}}
W = np.arange(12, dtype=np.float32).reshape(3, 4)


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def repacked(path, change):
    """The archive with its members changed by `change(name, content)`; None drops one."""
    result = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return result


def with_header(path, **changes):
    def change(name, content):
        if name != "header.json":
            return content
        return json.dumps({**json.loads(content), **changes})

    return repacked(path, change)


@pytest.fixture
def path(tmp_path):
    save_archive(tmp_path / "m.npz", HEADER, {"W": W, "H": W.T.astype(np.float64)})
    return tmp_path / "m.npz"


def refused(source, match, kind="decomposition"):
    with pytest.raises(AudioFileError, match=match) as caught:
        load_archive(source, kind=kind)
    assert len(str(caught.value).splitlines()) == 1


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True),
        st.sampled_from([np.float32, np.float64]).flatmap(
            lambda dtype: hnp.arrays(
                dtype,
                hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
                elements={"min_value": 0, "allow_infinity": False, "allow_nan": False},
            )
        ),
        max_size=4,
    )
)
def test_round_trip(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("archive") / "m.npz"
    save_archive(path, HEADER, arrays)
    header, back = load_archive(path, kind="decomposition")
    assert header == HEADER
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
        assert back[name].flags.writeable


def test_any_memory_layout(tmp_path):
    for name, array in (("f", np.asfortranarray(W)), ("r", W[::-1, ::2]), ("b", W.astype(">f4"))):
        save_archive(tmp_path / name, HEADER, {"W": array})
        np.testing.assert_array_equal(
            load_archive(tmp_path / name, kind=HEADER["kind"])[1]["W"], array
        )


def test_numpy_reads_the_arrays(path):
    with np.load(path, allow_pickle=False) as members:
        np.testing.assert_array_equal(members["W"], W)


def test_the_same_content_makes_the_same_bytes(path, tmp_path):
    reordered = dict(reversed(HEADER.items()))
    save_archive(tmp_path / "n.npz", reordered, {"H": W.T.astype(np.float64), "W": W})
    assert (tmp_path / "n.npz").read_bytes() == path.read_bytes()


def test_a_file_object_loads(path):
    assert load_archive(io.BytesIO(path.read_bytes()), kind="decomposition")[0] == HEADER


def test_an_existing_file_is_refused_and_overwritten_when_asked(path):
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists; use"):
        save_archive(path, HEADER, {})
    assert path.read_bytes() == before
    save_archive(path, HEADER, {}, overwrite=True)
    assert load_archive(path, kind="decomposition")[1] == {}


def test_what_cannot_be_saved(tmp_path):
    cases = [
        ("negative, NaN or infinite", HEADER, {"W": -W}),
        ("negative, NaN or infinite", HEADER, {"W": np.array([np.nan])}),
        ("negative, NaN or infinite", HEADER, {"W": np.array([np.inf])}),
        ("int64; need float32", HEADER, {"W": np.arange(3)}),
        ("object; need float32", HEADER, {"W": np.array([{}])}),
        ("array name '../W'", HEADER, {"../W": W}),
        ("no 'kind'", {}, {}),
        ("'version' is reserved", {**HEADER, "version": 9}, {}),
        ("not JSON-serialisable", {**HEADER, "x": float("nan")}, {}),
        ("not JSON-serialisable", {**HEADER, "x": {1, 2}}, {}),
    ]
    for message, header, arrays in cases:
        with pytest.raises(ParameterError, match=message):
            save_archive(tmp_path / "m.npz", header, arrays)
    assert tree(tmp_path) == []


def test_a_failing_disk_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "whatever")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(OutputError, match=r"m\.npz"):
        save_archive(tmp_path / "new" / "m.npz", HEADER, {"W": W})
    assert tree(tmp_path) == []


def test_what_is_no_archive(tmp_path):
    refused(tmp_path / "no.npz", "No such file or directory")
    refused(tmp_path, "Is a directory")
    for content in (b"", b"text", pickle.dumps({"W": W}), b"PK\3\4" + bytes(100)):
        (tmp_path / "x").write_bytes(content)
        refused(tmp_path / "x", "not a model file")


def test_an_npz_that_is_not_ours(tmp_path):
    np.savez(tmp_path / "x.npz", W=W)
    refused(tmp_path / "x.npz", "no header.json")


def test_pickled_objects_are_never_unpickled(path, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.array([[Bomb()]], dtype=object), allow_pickle=True)
    bomb = stream.getvalue()
    refused(
        repacked(path, lambda name, c: bomb if name == "W.npy" else c), "W.npy is not the array"
    )
    refused(repacked(path, lambda name, c: pickle.dumps(Bomb()) if name == "W.npy" else c), "W.npy")
    assert not (tmp_path / "ran").exists()


def test_kind_and_version(path):
    refused(path, "its kind is 'decomposition'; need 'dictionary'", kind="dictionary")
    refused(with_header(path, version=2), "format version 2, but only 1 is supported")
    refused(with_header(path, version=None), "format version None")
    refused(with_header(path, format="other"), "not of nmfaudio")
    refused(repacked(path, lambda n, c: b"{" if n == "header.json" else c), "not JSON")
    refused(repacked(path, lambda n, c: b"[" * 10**5 if n == "header.json" else c), "not JSON")
    refused(repacked(path, lambda n, c: b"\xff" if n == "header.json" else c), "not JSON")
    refused(repacked(path, lambda n, c: b"[]" if n == "header.json" else c), "not of nmfaudio")


def test_members_are_those_that_the_header_lists(path):
    refused(repacked(path, lambda n, c: None if n == "W.npy" else c), "not those that its header")
    extra = repacked(path, lambda _, c: c)
    with zipfile.ZipFile(extra, "a") as pack:
        pack.writestr("run.py", "print()")
    refused(extra, "not those that its header lists")
    twice = repacked(path, lambda _, c: c)
    with zipfile.ZipFile(twice, "a") as pack, pytest.warns(UserWarning, match="Duplicate"):
        pack.writestr("W.npy", "")
    refused(twice, "a member twice")
    refused(with_header(path, arrays=["W", "H"]), "does not list the arrays")
    refused(with_header(path, arrays={"../W": {}, "H": {}}), "does not list the arrays")


def test_shapes_and_types_are_checked_against_the_header(path):
    listed = {"W": {"shape": [3, 4], "dtype": "<f4"}, "H": {"shape": [4, 3], "dtype": "<f8"}}
    load_archive(with_header(path, arrays=listed), kind="decomposition")
    for wrong, message in [
        ({"shape": [4, 3], "dtype": "<f4"}, "not the array that the header describes"),
        ({"shape": [3, 4], "dtype": "<f8"}, "not the array that the header describes"),
        ({"shape": [3, 4], "dtype": "|O"}, "not listed as float32 or float64"),
        ({"shape": [3, -4], "dtype": "<f4"}, "listed with the shape"),
        ({"shape": [3, 4.0], "dtype": "<f4"}, "listed with the shape"),
        ({"shape": "12", "dtype": "<f4"}, "listed with the shape"),
        (None, "not listed as"),
    ]:
        refused(with_header(path, arrays={**listed, "W": wrong}), message)


def test_a_claim_of_size_allocates_nothing(path):
    huge = {"shape": [10**9, 10**9], "dtype": "<f4"}
    listed = {"W": huge, "H": {"shape": [4, 3], "dtype": "<f8"}}
    source = with_header(path, arrays=listed)

    def claim(name, content):
        if name != "W.npy":
            return content
        stream = io.BytesIO()
        fields = {"descr": "<f4", "fortran_order": False, "shape": (10**9, 10**9)}
        np.lib.format.write_array_header_1_0(stream, fields)
        return stream.getvalue()

    refused(repacked(source, claim), r"does not have the size of its shape")


def test_compressed_members_are_refused(path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    refused(bomb, "compressed")


def test_a_size_that_the_file_does_not_have_is_refused(path):
    data = path.read_bytes()
    at = data.rindex(b"PK\1\2")  # the last entry of the directory
    name = data[at + 46 : at + 51]
    assert name == b"W.npy"
    sizes = (2**31).to_bytes(4, "little") * 2
    refused(io.BytesIO(data[: at + 20] + sizes + data[at + 28 :]), "declare more than|damaged")
    other = data[: at + 24] + (2**31).to_bytes(4, "little") + data[at + 28 :]
    refused(io.BytesIO(other), "contradict each other|damaged")


@pytest.mark.parametrize("text", [b"(", b"[" * 30 + b"1L", b"{'a': 1L,", b"\\"])
def test_headers_that_are_no_python_are_refused(path, text):
    def change(name, content):
        return content[:10] + text.ljust(118, text[:1]) + content[128:] if "W" in name else content

    refused(repacked(path, change), "W.npy is not the array that the header describes")


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_values_that_no_factor_has_are_refused(path, value):
    def change(name, content):
        return content[:-4] + np.float32(value).tobytes() if name == "W.npy" else content

    refused(repacked(path, change), "W.npy has values that are negative, NaN or infinite")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_loads_as_it_was(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "m.npz"
    save_archive(path, HEADER, {"W": W})
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    length = data.draw(st.integers(0, len(content)))
    whole = data.draw(st.booleans())
    try:
        _, arrays = load_archive(
            io.BytesIO(bytes(content if whole else content[:length])), kind="decomposition"
        )
    except AudioFileError:
        return
    np.testing.assert_array_equal(arrays["W"], W)
