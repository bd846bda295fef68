"""Text, data and sound of the report page, without a browser."""

import base64
import hashlib
import io
import json
import re
import struct
import zlib
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

import nmfaudio as na
from nmfaudio.display.report import data as data_module
from nmfaudio.display.report import page, write_report
from nmfaudio.display.report.contents import ComponentSound
from nmfaudio.display.report.pictures import LogAxis, as_levels, encode_png, pool_frames
from nmfaudio.display.report.sound import choose_sound_coding, common_gain, encode_sound
from nmfaudio.factorisation.structures import STRUCTURES

from .conftest import HOSTILE, SECONDS, SR, contents

ASSETS = files("nmfaudio.display.report") / "assets"
VOID = {"meta", "link", "input", "img"}


class Document(HTMLParser):
    """Elements of a document, with a check that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.texts = [], [], {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(text)

    def find(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def data(self):
        return json.loads(self.texts["script"][0])

    @property
    def policy(self):
        text = next(m["content"] for m in self.find("meta") if "http-equiv" in m)
        return dict(part.strip().split(" ", 1) for part in text.split(";"))


@pytest.fixture(scope="session")
def path(tmp_path_factory, beeps):
    target = tmp_path_factory.mktemp("report") / "beeps.html"
    assert write_report(target, beeps) == [target]
    return target


@pytest.fixture(scope="session")
def document(path):
    return Document(path.read_text(encoding="utf-8"))


def decoded(content, sr=SR):
    """Samples of a file, resampled."""
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    return resample_poly(samples.T, sr, rate, axis=-1)


def error_db(estimate, reference):
    """Energy of the difference relative to the reference, in dB."""
    difference = ((estimate - reference) ** 2).sum()
    return 10 * np.log10(difference / (reference**2).sum())


def test_every_structure_has_words():
    assert set(data_module._STRUCTURES) == {each.__name__ for each in STRUCTURES.values()}


def test_document_is_complete_and_its_references_exist(document):
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in document.elements:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert attributes.get(name, ids[0]) in ids
        assert attributes.get("href", "#").startswith(("#", "data:"))
        assert "onclick" not in attributes
        assert "style" not in attributes
    made_by_script = {"add-stem"}
    for script in ASSETS.iterdir():
        if script.name.endswith(".js"):
            used = set(re.findall(r'find\("([\w-]+)"\)', script.read_text(encoding="utf-8")))
            assert used - made_by_script <= set(ids), script.name


def test_policy_allows_the_own_script_and_style_alone(document):
    policy = document.policy
    assert policy["default-src"] == "'none'"
    assert set(policy) == {
        "default-src",
        "script-src",
        "style-src",
        "img-src",
        "base-uri",
        "form-action",
    }
    for directive, text in (
        ("script-src", document.texts["script"][1]),
        ("style-src", document.texts["style"][0]),
    ):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"


def test_page_names_no_address(path):
    addresses = set(re.findall(r"\w+://[^\s\"'`<)]*", path.read_text(encoding="utf-8")))
    assert addresses == {"http://www.w3.org/2000/svg"}  # the name of SVG, never loaded


def test_modules_share_no_name():
    defined = [
        name
        for script in ASSETS.iterdir()
        if script.name.endswith(".js")
        for name in re.findall(
            r"^(?:export )?(?:async )?(?:const|let|function|class) (\w+)",
            script.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    ]
    assert sorted(defined) == sorted(set(defined))


def test_no_file_is_long():
    for asset in ASSETS.iterdir():
        assert len(asset.read_text(encoding="utf-8").splitlines()) < 400, asset.name


def test_data_describe_the_contents(document, beeps):
    data = document.data
    assert data["stems"] == [
        {"name": "low", "components": [0, 1]},
        {"name": "high", "components": [2, 3]},
    ]
    assert [each["index"] for each in data["components"]] == [0, 1, 2, 3]
    assert data["notes"][1] == [1.0, 1.5, 81, 0.4, ""]
    assert data["losses"]["values"] == beeps.decomposition.losses.tolist()
    assert data["seconds"] == SECONDS
    assert ["max_iter", "20"] in data["settings"]
    assert ["Structure", "NMF"] in data["facts"]
    for each, hertz in zip(data["components"], (220, 880, 1760, 3520), strict=True):
        assert each["centre"] == pytest.approx(hertz, rel=0.1)


def test_templates_peak_at_their_tones(document):
    data = document.data
    axis = LogAxis(**data["axis"])
    for each, hertz in zip(data["components"], (220, 880, 1760, 3520), strict=True):
        levels = np.frombuffer(base64.b64decode(each["template"]["levels"]), np.uint8)
        assert each["template"]["lags"] == 1
        row = int(levels.argmax())
        assert axis.edges[row] * 0.94 <= hertz <= axis.edges[row + 1] * 1.06


def test_sounds_decode_and_sum_to_the_mixture(document, beeps):
    data = document.data
    sounds = {name: decoded(base64.b64decode(text)) for name, text in data["sounds"].items()}
    assert set(sounds) == {"mixture", "stem-0", "stem-1", *(f"component-{k}" for k in range(4))}
    gain = data["coding"]["gain"]
    mixture = gain * beeps.mixture
    total = sum(sounds[f"stem-{i}"] for i in range(2))
    assert error_db(sounds["mixture"], mixture) < -20
    assert error_db(total, mixture) < -20
    assert error_db(sum(sounds[f"component-{k}"] for k in range(4)), mixture) < -12


def test_size_is_that_of_the_sound(path):
    # Four seconds of sound at 64 kbit/s and four components at 32, in base64, and 80 kB of page.
    assert path.stat().st_size < 4 / 3 * (3 * 3 * 10_000 + 4 * 3 * 6_000) + 150_000


def test_same_contents_make_the_same_bytes(tmp_path, path, beeps):
    write_report(tmp_path / "again.html", beeps)
    assert (tmp_path / "again.html").read_bytes() == path.read_bytes()


def test_names_are_text(tmp_path):
    target = tmp_path / "hostile.html"
    write_report(target, contents(names=(HOSTILE, "b"), title=HOSTILE))
    document = Document(target.read_text(encoding="utf-8"))
    assert document.data["stems"][0]["name"] == HOSTILE
    assert document.data["title"] == HOSTILE
    assert "".join(document.texts["title"]) == HOSTILE
    assert len(document.find("img")) == len(document.find("title")) == 1
    assert len(document.find("script")) == 2


def test_long_recordings_have_their_sound_beside_the_page(tmp_path, monkeypatch, beeps):
    monkeypatch.setattr(page, "MOST_SECONDS", SECONDS - 0.5)
    target = tmp_path / "long song.html"
    written = write_report(target, beeps)
    folder = tmp_path / "long song_files"
    assert set(written) == {target, *folder.iterdir()}
    document = Document(target.read_text(encoding="utf-8"))
    assert document.data["sounds"] == {}
    assert document.data["folder"] == folder.name
    script = (folder / "stem-1.js").read_text()
    text = re.fullmatch(r'receiveSound\("stem-1","([\w+/=]+)"\);\n', script)[1]
    assert decoded(base64.b64decode(text)).shape == (1, SECONDS * SR)


def test_nothing_is_replaced_or_left_behind(tmp_path, beeps):
    target = tmp_path / "beeps.html"
    target.write_text("mine")
    with pytest.raises(na.errors.OutputError, match="exists"):
        write_report(target, beeps)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["mine"]
    write_report(target, beeps, overwrite=True)
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_loud_sounds_have_one_common_gain(tmp_path):
    loud = contents()
    loud.stems["low"][:] *= 10
    loud.mixture[:] = sum(loud.stems.values())
    peak = max(float(np.abs(y).max()) for y in (loud.mixture, *loud.stems.values()))
    target = tmp_path / "loud.html"
    write_report(target, loud)
    data = Document(target.read_text(encoding="utf-8")).data
    assert data["coding"]["gain"] == pytest.approx(0.95 / peak)
    stem = decoded(base64.b64decode(data["sounds"]["stem-1"]))
    assert error_db(stem, data["coding"]["gain"] * loud.stems["high"]) < -15


def test_common_gain_fits_full_scale():
    assert common_gain(0.0) == common_gain(0.5) == 1
    assert common_gain(4.0) * 4 < 1


@pytest.mark.parametrize("sr", [8000, 11025, 44100, 96000])
def test_sound_has_its_length_at_any_rate(sr):
    y = 0.1 * np.sin(np.arange(2 * sr) * 0.1)[None].astype(np.float32)
    content = encode_sound(y, sr, choose_sound_coding())
    assert abs(decoded(content, sr).shape[1] - 2 * sr) <= 2
    assert content == encode_sound(y, sr, choose_sound_coding())


def test_flac_where_libsndfile_has_no_opus(monkeypatch):
    monkeypatch.setattr(soundfile, "available_subtypes", lambda format: {"VORBIS": "Vorbis"})
    coding = choose_sound_coding()
    assert (coding.mime, coding.title) == ("audio/flac", "FLAC, 16 bit")
    y = 0.5 * np.sin(np.arange(4000) * 0.1)[None].astype(np.float32)
    assert error_db(decoded(encode_sound(y, SR, coding)), y) < -80


def test_png_has_the_levels_from_top_to_bottom():
    levels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    content = encode_png(levels)
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + size]
        checksum = struct.unpack(">I", content[at + 8 + size : at + 12 + size])[0]
        assert checksum == zlib.crc32(name + body)
        chunks[name], at = body, at + 12 + size
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (4, 3)
    assert len(chunks[b"PLTE"]) == 3 * 256
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(3, 5)
    assert np.array_equal(lines[:, 1:], levels[::-1])
    luminance = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(256, 3) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > -0.5).all()
    assert luminance[-1] > 230 > 30 > luminance[0]


def test_log_axis_keeps_constants_and_places_tones():
    axis = LogAxis(40, 8000, 100)
    frequencies = np.linspace(0, 8000, 513)
    assert np.allclose(axis.pool(np.full((513, 2), 3.0), frequencies), 3)
    for k in (20, 100, 400):
        pooled = axis.pool(np.eye(513)[:, [k]], frequencies)[:, 0]
        row = int(pooled.argmax())
        assert pooled[row] == pytest.approx(1, abs=0.2)
        assert axis.edges[row] * 0.97 <= frequencies[k] <= axis.edges[row + 1] * 1.03


def test_pooled_frames_keep_every_peak():
    x = np.random.default_rng(0).random((3, 1001))
    pooled = pool_frames(x, 100)
    assert pooled.shape == (3, 100)
    assert np.array_equal(pooled.max(1), x.max(1))
    assert pool_frames(x[:, :7], 100) is not None
    assert np.array_equal(pool_frames(x[:, :7], 100), x[:, :7])


def test_levels_are_decibels():
    assert as_levels(np.array([1.0, 0.1, 0.0]), 1.0, 40).tolist() == [255, 128, 0]
    assert as_levels(np.zeros(2), 0.0, 40).tolist() == [0, 0]


def luminance(colour):
    linear = [
        x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4
        for x in (int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4))
    ]
    return linear[0] * 0.2126 + linear[1] * 0.7152 + linear[2] * 0.0722


def contrast(first, second):
    lights = sorted([luminance(first), luminance(second)])
    return (lights[1] + 0.05) / (lights[0] + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_text_and_stems_stand_out(theme):
    blocks = re.findall(r"\.report \{\n(.*?)\n *\}", (ASSETS / "page.css").read_text(), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): #(\w{6});", blocks[theme]))
    assert sum(name.startswith("stem-") for name in colours) == 8
    for name, colour in colours.items():
        for ground in ("page", "card"):
            if name in ("ink", "dim"):
                assert contrast(colour, colours[ground]) > 4.5, (name, ground)
            if name.startswith("stem-"):
                assert contrast(colour, colours[ground]) > 3, (name, ground)


def test_convolutive_templates_are_images(tmp_path):
    recording = np.zeros((1, SR), np.float32)
    recording[:, 1000::4000] = 0.5
    stft = na.Stft(SR, 512)
    V = np.abs(stft.forward(recording))[0]
    rng = np.random.default_rng(0)
    factors = [na.Factor(rng.random((4, len(V), 2))), na.Factor(rng.random((2, V.shape[1])))]
    fitted = na.decompose(V, factors, structure=na.structures.Convolutive(), max_iter=3)
    report = contents()
    fields = vars(report) | {
        "mixture": recording,
        "stems": {"all": recording},
        "groups": {"all": (0, 1)},
        "decomposition": fitted,
        "transform": stft,
        "sounds": {k: ComponentSound(0.0, recording[0]) for k in range(2)},
    }
    write_report(tmp_path / "clicks.html", type(report)(**fields))
    data = Document((tmp_path / "clicks.html").read_text(encoding="utf-8")).data
    assert [each["template"]["lags"] for each in data["components"]] == [4, 4]
