"""Laws of the HTML of results: it is valid, escaped and small, and shows and plays the results."""

import base64
import io
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from matplotlib import pyplot, rcParams

import nmfaudio as na
from nmfaudio.display.html.card import MOST_BYTES, MOST_ROWS, Card, Row
from nmfaudio.display.html.players import encode_players
from nmfaudio.transcription.transcribed_file import TranscribedFile

SR = 8000
EVIL = '<script>alert("&amp;")</script>'
VOID = {"img", "br"}
NOTES = (na.Note(0.1, 0.4, 60), na.Note(0.3, 0.9, 69))


def beeps(sr=SR, seconds=1.0):
    t = np.arange(round(seconds * sr)) / sr
    return np.stack([0.3 * np.sin(2 * np.pi * 440 * t), 0.2 * np.sin(2 * np.pi * 660 * t)])


def separated():
    return na.separate(beeps(), SR, n_components=4, max_iter=5)


def transcribed():
    y, fitted = beeps(), na.nmf(np.ones((33, 8)), 1, max_iter=1, rng=0)
    salience = na.transcription.Salience(np.ones((2, 8)), np.array([60.0, 69]), np.arange(8) / 8)
    return na.Transcription(NOTES, salience, y, SR, fitted, na.Stft(SR, 64), (60.0,))


def dictionary():
    W = np.random.default_rng(0).random((33, 6))
    return na.Dictionary(W, [EVIL, "low", "low"] * 2, na.Stft(SR, 64))


def selection(count=5):
    scores = {rank: 8.0 / rank for rank in range(1, count + 1)}
    return na.rank_selection.RankSelection(3, scores, f"error {EVIL}", "error")


def evaluation():
    scores = {"si_sdr": np.array([12.04, -3.0]), "sdr": np.array([np.inf, np.nan])}
    return na.metrics.Evaluation({EVIL: "a", "snare": "b"}, scores, None, (f"note {EVIL}",))


def transcribed_file():
    t = transcribed()
    return TranscribedFile(NOTES, t.salience, 2, 40 * SR, SR, t.transform, {}, None, 1.0, 5)


def note_scores():
    return na.evaluate_transcription([*NOTES, na.Note(1.5, 2.0, 72)], NOTES)


def summary(count=1):
    pairs = {f"{EVIL}{i or ''}": (NOTES, NOTES[:1]) for i in range(count)}
    return na.metrics.evaluate_transcriptions(pairs | {"waltz": (NOTES, NOTES)})


RESULTS = {
    "stems": separated,
    "decomposition": lambda: separated().decomposition,
    "transcription": transcribed,
    "dictionary": dictionary,
    "ranks": selection,
    "evaluation": evaluation,
    "file": transcribed_file,
    "scores": note_scores,
    "summary": summary,
}


@pytest.fixture(scope="module")
def pieces():
    return {name: make()._repr_html_() for name, make in RESULTS.items()}


class Elements(HTMLParser):
    """Elements of a piece; an end tag that does not fit is an error."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.text = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs)
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def sources(self, tag):
        return [attrs["src"] for name, attrs in self.found if name == tag]


def content(source):
    return base64.b64decode(source.partition("base64,")[2], validate=True)


def table(text):
    """Cells of the rows of a table as text, without the players."""
    text = re.sub(r"<audio.*?</audio>", "", text)
    rows = re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)
    return [[unescape(re.sub(r"<[^>]+>", "", c)) for c in re.findall(r"<t[hd].*?</t[hd]>", row)]
            for row in rows]  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_it_is_valid_inert_and_small(name, pieces):
    elements = Elements(pieces[name])
    assert len(pieces[name]) <= MOST_BYTES
    assert {tag for tag, _ in elements.found} <= {
        *("div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "audio", "img"),
    }
    for _, attributes in elements.found:
        assert not any(attribute.startswith("on") for attribute in attributes)
        assert "color" not in attributes.get("style", "")  # that of the page, light or dark
    (picture,) = elements.sources("img")
    assert content(picture).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["dictionary", "ranks", "evaluation", "summary"])
def test_names_are_text(name, pieces):
    assert "<script" not in pieces[name]
    assert EVIL in "".join(Elements(pieces[name]).text)


def test_stems_show_their_groups_and_play_their_samples():
    stems = separated()
    text = stems._repr_html_()
    heading, mixture, *rows = table(text)
    assert heading == ["stem", "components", "energy", "centre", "listen"]
    assert [row[0] for row in (mixture, *rows)] == ["mixture", *stems]
    for name, count, energy, centre, _ in rows:
        group = stems.groups[name]
        assert int(count) == len(group.components)
        assert float(energy.removesuffix(" %")) == pytest.approx(100 * group.energy_share, abs=0.05)
        assert float(centre.removesuffix(" Hz")) == pytest.approx(group.centre_hz, abs=0.5)
    assert f"within {np.abs(stems.residual()).max():.1e}" in text
    for source, y in zip(
        Elements(text).sources("audio"), (stems.mixture, *stems.values()), strict=True
    ):
        decoded, rate = soundfile.read(io.BytesIO(content(source)), dtype="float64")
        expected = y.T if rate == SR else resampled(y, rate).T
        error = decoded[: len(expected)] - expected
        assert np.sqrt(np.mean(error**2)) < 0.1 * np.sqrt(np.mean(stems.mixture**2))


def resampled(y, rate):
    from scipy.signal import resample_poly

    return resample_poly(y, rate // 1000, SR // 1000, axis=-1)


def test_notes_are_counted_and_played(pieces):
    elements = Elements(pieces["transcription"])
    assert "2 notes · C4 to A4 · 1.00 s · 8000 Hz · stereo" in "".join(elements.text)
    assert len(elements.sources("audio")) == 3


def test_the_notes_of_a_file_are_counted_and_their_beginning_is_played(pieces):
    elements = Elements(pieces["file"])
    text = "".join(elements.text)
    assert "2 notes · C4 to A4 · 40.00 s · 8000 Hz · stereo" in text
    assert "Players have the first 30.0 s of 40.0 s." in text
    (source,) = elements.sources("audio")
    y, rate = soundfile.read(io.BytesIO(content(source)))
    assert np.abs(y[: round(0.09 * rate)]).max() < 0.01 < 0.3 < np.abs(y).max()
    assert np.abs(y[2 * rate :]).max() < 0.01


def test_scores_of_notes_are_those_of_the_object(pieces):
    scores = note_scores()
    heading, *rows = table(pieces["scores"])
    assert heading == ["correct", "precision", "recall", "F"]
    assert rows[0] == ["onset", "1.000", "0.667", "0.800"]
    assert [float(x) for x in rows[-1][1:]] == pytest.approx(
        [scores.frame_p, scores.frame_r, scores.frame_f], abs=5e-4
    )
    assert "3 notes in the reference · 2 estimated" in pieces["scores"]
    assert f"Accuracy of frames: {scores.frame_accuracy:.3f}." in pieces["scores"]
    drums = [na.Note(0.1, 0.2, 36, channel=9)]
    assert table(na.evaluate_transcription(drums, drums)._repr_html_())[1:] == [
        [name, "1.000", "1.000", "1.000"] for name in ("kick", "mean of drums")
    ]


def test_the_mean_of_many_pieces_stands_above_them():
    many = summary(20)
    text = many._repr_html_()
    rows = table(text)
    assert rows[0] == ["piece", "onset", "offset", "velocity", "all", "frames"]
    assert [row[0] for row in rows[1:5]] == ["mean", "95 % from", "to", EVIL]
    assert [float(row[1]) for row in rows[1:4]] == pytest.approx(many.interval("onset_f"), abs=5e-4)
    assert rows[4][1] == "0.667"
    assert "21 pieces" in text
    assert "12 more rows are not shown." in text


def test_scores_of_nothing_have_no_picture():
    pairs = {EVIL: ((), ())}
    for scores in (na.evaluate_transcription((), ()), na.metrics.evaluate_transcriptions(pairs)):
        assert Elements(scores._repr_html_()).sources("img") == []


def test_pieces_for_drums_are_drawn_by_their_drums(monkeypatch):
    hits = [na.Note(0.1, 0.2, pitch, channel=9) for pitch in (36, 38)]
    measures = []
    plot = na.metrics.TranscriptionSummary.plot

    def drawn(self, **options):
        measures.append(options["measure"])
        return plot(self, **options)

    monkeypatch.setattr(na.metrics.TranscriptionSummary, "plot", drawn)
    text = na.metrics.evaluate_transcriptions({"beat": (hits, hits[:1])})._repr_html_()
    assert table(text)[0] == ["piece", "kick", "snare", "drums"]
    summary()._repr_html_()
    assert measures == ["drum_f", "onset_f"]


def test_scores_are_those_of_the_object():
    chosen, known = selection(), evaluation()
    ranks, scores = table(chosen._repr_html_())
    assert ranks == ["rank", "1", "2", "3 (best)", "4", "5"]
    assert [float(x) for x in scores[1:]] == pytest.approx(list(chosen.scores.values()), rel=1e-3)
    assert table(known._repr_html_()) == [
        ["source", "estimate", "SI-SDR", "SDR"],
        [EVIL, "a", "12.0", "∞"],
        ["snare", "b", "−3.0", "–"],
        ["mean", "", "4.5", "∞"],
    ]


def test_the_selected_rank_is_among_those_listed():
    text = na.rank_selection.RankSelection(
        40, dict.fromkeys(range(1, 101), 1.0), "", "error"
    )._repr_html_()
    assert "40 (best)" in table(text)[0]
    assert len(table(text)[0]) == 13
    assert "88 further ranks not listed." in text


def test_labels_play_their_templates():
    elements = Elements(dictionary()._repr_html_())
    assert len(elements.sources("audio")) == 2
    first = soundfile.info(io.BytesIO(content(elements.sources("audio")[0])))
    assert 0.5 < first.duration < 1.0  # two templates of 0.3 s


def test_sound_is_cut_until_it_fits():
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 4 * SR))
    limit = 60_000
    players = encode_players([noise, None, noise], SR, limit=limit)
    assert players.sources[1] == ""
    assert 0.6 * limit < sum(map(len, players.sources)) <= limit
    kept = float(re.match(r"Players have the first ([\d.]+) s of 4.0 s.$", players.remark)[1])
    for source in players.sources[::2]:
        assert soundfile.info(io.BytesIO(content(source))).duration == pytest.approx(kept, abs=0.06)


def test_loud_sound_is_attenuated_and_not_clipped():
    players = encode_players([4 * beeps(), beeps()], SR, limit=10**6)
    assert "attenuated by 2.0 dB" in players.remark  # from a peak of 1.2 to 0.95
    peaks = [np.abs(soundfile.read(io.BytesIO(content(s)))[0]).max() for s in players.sources]
    assert peaks[0] < 1
    assert peaks[0] / peaks[1] == pytest.approx(4, rel=0.05)


def test_rows_are_limited():
    rows = [Row([f"row {i}"]) for i in range(MOST_ROWS + 3)]
    text = Card(title="Many", facts=[], columns=["name"], rows=rows).html()
    assert len(table(text)) == 1 + MOST_ROWS
    assert "3 more rows are not shown." in text


@pytest.mark.parametrize("name", RESULTS)
def test_without_matplotlib_text_and_players_are_left(name, pieces, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    text = RESULTS[name]()._repr_html_()
    assert "install the extra “plot”" in text
    assert table(text) == table(pieces[name])
    elements = Elements(text)
    assert elements.sources("img") == []
    assert elements.sources("audio") == Elements(pieces[name]).sources("audio")


def test_without_players_a_reader_is_told_to_run_the_notebook(pieces):
    sanitised = re.sub(r"</?audio[^>]*>", "", pieces["stems"])
    assert sanitised.count("run the notebook to listen") == 3
    assert Elements(sanitised).sources("img")


def test_nothing_is_left_behind():
    settings, stems = dict(rcParams), separated()
    pyplot.close("all")
    assert stems._repr_html_() == stems._repr_html_()
    assert pyplot.get_fignums() == []
    assert dict(rcParams) == settings
    assert stems == separated()


def test_what_cannot_be_drawn_is_told():
    class Tensor(na.structures.Product):
        def templates(self, factors):
            return factors[0][None, None]

    factors = [na.Factor(np.ones((8, 1))), na.Factor(np.ones((1, 9)))]
    fitted = na.decompose(np.ones((8, 9)), factors, structure=Tensor(), max_iter=1)
    text = fitted._repr_html_()
    assert "There is no picture:" in text
    assert "8×1 · 1×9" in table(text)[1]


def test_a_separated_file_plays_what_is_still_on_disk(tmp_path):
    na.write(tmp_path / "y.wav", beeps(), SR)
    done = na.separate_file(tmp_path / "y.wav", tmp_path / "out", na.HpssSeparator(max_iter=5))
    elements = Elements(done._repr_html_())
    assert len(elements.sources("audio")) == 3
    assert len(elements.sources("img")) == 1
    for path in done.paths.values():
        path.unlink()
    text = done._repr_html_()
    assert "There is no sound" in text
    assert Elements(text).sources("audio") == []
    assert [row[0] for row in table(text)[1:]] == ["mixture", *done]
