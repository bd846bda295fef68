"""A voice whose pitch is known comes out of the mix, and pitch tracks are read or refused."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.separators.pitch_track import estimate_pitch

SR = 8000
QUICK = {"n_components": 8, "n_fft": 1024}


def tone(hertz, partials, seconds=2.0):
    """Partials of a pitch that may change, at 1/h, up to 3.5 kHz."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, int(seconds * SR))) / SR
    count = min(partials, int(3500 / np.max(hertz)))
    return sum(np.sin(h * phase) / h for h in range(1, count + 1))


def inputs():
    """A gliding voice that pauses, over a chord and a beat; its pitch at every 10 ms."""
    rng, t = np.random.default_rng(0), np.arange(2 * SR) / SR
    hertz = 300 * 2 ** (0.5 * np.sin(2 * np.pi * 0.7 * t))
    sung = (t % 1.0) < 0.6
    voice = tone(hertz, 12) * np.convolve(sung, np.hanning(201) / 100, "same")
    chord = sum(tone(f, 8) for f in (110.0, 164.8, 220.0)) / 2
    beat = rng.standard_normal(len(t)) * np.exp(-(t % 0.25) / 0.02)
    rows = slice(0, None, SR // 100)
    pitch = na.separators.Pitch(t[rows], np.where(sung, hertz, 0)[rows])
    return voice, chord + beat, pitch


def gains(sources, stems):
    """SI-SDR of each stem above that of the mixture, in dB."""
    mix = sources[0] + sources[1]
    return [
        na.metrics.si_sdr(s, e) - na.metrics.si_sdr(s, mix)
        for s, e in zip(sources, stems, strict=True)
    ]


def test_a_voice_comes_out_of_the_mix():
    voice, rest, pitch = inputs()
    y = voice + rest
    stems = na.F0Separator(pitch=pitch, **QUICK)(y, SR)
    assert list(stems) == ["voice", "rest"]
    np.testing.assert_allclose(stems["voice"] + stems["rest"], y[None], atol=1e-12)
    better = gains((voice, rest), (stems["voice"][0], stems["rest"][0]))
    assert min(better) > 9, better


def test_where_it_has_no_pitch_the_voice_is_silent():
    voice, rest, pitch = inputs()
    stems = na.F0Separator(pitch=pitch, **QUICK)(voice + rest, SR)
    pause = slice(int(0.76 * SR), int(0.84 * SR))  # further than a window from the voice
    assert np.abs(stems["voice"][0, pause]).max() < 1e-6 * np.abs(stems["voice"]).max()


def test_two_voices_make_one_stem():
    first, rest, pitch = inputs()
    hertz = np.where(pitch.hertz > 0, 1.5 * pitch.hertz, 0)
    second = na.separators.Pitch(pitch.times, hertz)
    other = tone(1.5 * np.interp(np.arange(2 * SR) / SR, pitch.times, pitch.hertz), 6)
    other *= np.convolve(np.arange(2 * SR) / SR % 1.0 < 0.6, np.hanning(201) / 100, "same")
    y = first + other + rest
    both = na.F0Separator(pitch=pitch, second_pitch=(second,), **QUICK)(y, SR)["voice"][0]
    one = na.F0Separator(pitch=pitch, **QUICK)(y, SR)["voice"][0]
    assert na.metrics.si_sdr(first + other, both) > na.metrics.si_sdr(first + other, one) + 2


def test_the_pitch_of_a_lone_voice_is_found():
    voice, _, pitch = inputs()
    found = estimate_pitch(voice[None], SR)
    hertz, voiced = found.sampled(len(voice), SR)
    true, sung = pitch.sampled(len(voice), SR)
    cents = 1200 * np.abs(np.log2(hertz / true))[voiced & sung]
    assert np.median(cents) < 20
    assert (voiced == sung).mean() > 0.75
    stems = na.F0Separator(guess=True, **QUICK)(voice, SR)
    assert na.metrics.si_sdr(voice, stems["voice"][0]) > 10


@pytest.mark.parametrize(("samples", "sr"), [(1, SR), (5000, SR), (300, 100)])
def test_without_a_voice_all_is_rest(samples, sr):
    y = np.zeros((2, samples), np.float32)
    stems = na.F0Separator(guess=True, **QUICK)(y, sr)
    assert not stems["voice"].any()
    assert stems["rest"].shape == y.shape


def test_a_buzz_has_all_partials_of_its_pitch():
    pulse_train = na.separators.Pitch([0.0, 1.0], [200.0, 200.0]).pulse_train(SR, SR)
    loud = np.abs(np.fft.rfft(pulse_train * np.hanning(SR)))
    peaks = np.arange(200, 3801, 200)
    assert (loud[peaks] > 10 * loud[peaks + 100]).all()
    higher = na.separators.Pitch([0.0, 1.0], [200.0, 200.0]).pulse_train(SR, SR, cents=1200)
    assert np.abs(np.fft.rfft(higher * np.hanning(SR))).argmax() == 400


def test_gaps_and_zeros_are_both_without_pitch():
    times = np.arange(100) / 100
    zeros = np.where((times < 0.3) | (times > 0.5), 200.0, 0.0)
    kept = zeros > 0
    gap = na.separators.Pitch(times[kept], zeros[kept]).sampled(SR, SR)[1]
    zero = na.separators.Pitch(times, zeros).sampled(SR, SR)[1]
    assert abs(gap.astype(int) - zero).sum() < 0.01 * SR
    assert not zero[int(0.32 * SR) : int(0.48 * SR)].any()
    assert not na.separators.Pitch([0.0, 0.1], [0.0, 0.0]).sampled(SR, SR)[1].any()


@pytest.mark.parametrize(
    "text",
    [
        "0.1,200\n0.2,0\n",
        "seconds,Hz\n0.1,200\n0.2,0\n",
        "0.1;200\n0.2;0\n",
        "0.1\t200\n\n0.2\t0\n",
        "0.1 200\n0.2 0",
        "0,1;200,0\n0,2;0\n",
        "# made by a program\ntime f0\n0.1 200\n0.2 0\n",
        "\ufefftime_s,f0_hz,confidence\r\n0.1,200,1\r\n0.2,0,0\r\n",
    ],
)
def test_a_pitch_track_may_be_written_in_many_ways(tmp_path, text):
    path = tmp_path / "pitch.csv"
    path.write_bytes(text.encode())
    pitch = na.separators.read_pitch(path)
    assert pitch.times.tolist() == [0.1, 0.2]
    assert pitch.hertz.tolist() == [200.0, 0.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("no table at all\nof any kind\n", "no rows"),
        ("seconds,Hz\n", "no rows"),
        ("0.1,200\n0.2\n", "line 2 is '0.2'"),
        ("s,Hz\n0.1,200\n0.2,high\n", "line 3 is '0.2,high'"),
        ("0.1,200\n0.05,200\n", "line 2: .* ascend"),
        ("0.1,200\n0.1,200\n", "line 2: .* ascend"),
        ("0.1,-3\n", "line 1: .* Hz"),
        ("-1,200\n", "line 1: .* seconds"),
        ("s,Hz\n0.1,nan\n", "line 2: .* Hz"),
        ("0.1,inf\n", "line 1: .* Hz"),
        ("nan,200\n", "line 1: .* seconds"),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path, text, message):
    path = tmp_path / "pitch.csv"
    path.write_text(text)
    with pytest.raises(na.AudioFileError, match=f"pitch.csv: .*{message}"):
        na.separators.read_pitch(path)


def test_files_that_are_no_pitch_tracks_are_refused(tmp_path):
    with pytest.raises(na.AudioFileError, match="No such file"):
        na.separators.read_pitch(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(na.AudioFileError, match="not a text file"):
        na.separators.read_pitch(tmp_path / "binary.csv")


@pytest.mark.parametrize(
    ("pitch", "message"),
    [
        (([0.1], [5000.0]), "half the sample rate"),
        (([7.1], [200.0]), "no voice has a pitch from 0 to 0.5 s"),
        (([0.1], [0.0]), "no voice has a pitch"),
    ],
)
def test_a_pitch_that_does_not_belong_to_the_recording_is_refused(pitch, message):
    with pytest.raises(na.ContentError, match=message):
        na.F0Separator(pitch=na.separators.Pitch(*pitch))(np.ones(SR // 2), SR)


def test_arrays_that_are_no_pitch_are_refused():
    with pytest.raises(na.errors.ShapeError, match=r"\(row,\)"):
        na.separators.Pitch([0.0, 1.0], [200.0])
    with pytest.raises(na.ContentError, match=r"row 1: .*ascend"):
        na.separators.Pitch([1.0, 0.5], [200.0, 200.0])
    with pytest.raises(na.ContentError, match="row 1: inf s, 200 Hz: a time must be a finite"):
        na.separators.Pitch([0.0, np.inf, np.inf], [200.0] * 3)


@pytest.mark.parametrize(
    ("field", "value"), [("n_components", 0), ("filters", 1), ("max_iter", -1)]
)
def test_settings_that_cannot_work_are_refused(field, value):
    with pytest.raises(na.ParameterError, match=field):
        na.F0Separator(guess=True, **{field: value})


def test_without_a_pitch_it_says_how_to_make_one():
    with pytest.raises(na.ParameterError, match=r"rows of seconds and Hz .* or use --guess"):
        na.F0Separator()
    with pytest.raises(na.ParameterError, match="--guess estimates the pitch; leave it out"):
        na.F0Separator(guess=True, pitch="pitch.csv")


def test_a_guess_of_a_mix_is_doubted_and_that_of_a_voice_is_not():
    voice, rest, _ = inputs()
    with pytest.warns(na.errors.AudioWarning, match=r"guessed pitch has \d+% of the energy"):
        na.F0Separator(guess=True, **QUICK)(0.1 * voice + rest, SR)
    na.F0Separator(guess=True, **QUICK)(voice + 0.01 * rest, SR)  # warnings are errors


def as_midi(pitch):
    numbers = 69 + 12 * np.log2(np.maximum(pitch.hertz, 1) / 440)
    return na.separators.Pitch(pitch.times, np.where(pitch.hertz > 0, numbers, 0))


def test_midi_numbers_are_refused_and_low_voices_in_hz_are_not():
    t = np.arange(2 * SR) / SR
    rest = inputs()[1]
    for low, high in ((41, 62), (55, 110), (82, 98)):
        hertz = np.where(t < 1, float(low), float(high))
        pitch = na.separators.Pitch(t[::80], hertz[::80])
        y = tone(hertz, 20) + 0.3 * rest
        na.F0Separator(pitch=pitch, **QUICK)(y, SR)
        with pytest.raises(na.ContentError, match=r"MIDI note numbers; give Hz, or --pitch-unit"):
            na.F0Separator(pitch=as_midi(pitch), **QUICK)(y, SR)


def test_a_table_of_midi_numbers_is_converted(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("0.1 69\n0.2 57.0\n0.3 0\n")
    assert na.separators.read_pitch(path, unit="midi").hertz.tolist() == [440.0, 220.0, 0.0]
    path.write_text("0,440\n1,220\n")
    with pytest.raises(na.AudioFileError, match="in Hz, leave out --pitch-unit midi"):
        na.separators.read_pitch(path, unit="midi")
    voice, rest, pitch = inputs()
    notes = as_midi(pitch)
    np.savetxt(path, np.stack([notes.times, notes.hertz], axis=1), fmt="%.9f")
    from_hertz = na.F0Separator(pitch=pitch, **QUICK)(voice + rest, SR)
    stems = na.F0Separator(pitch=path, pitch_unit="midi", **QUICK)(voice + rest, SR)
    np.testing.assert_allclose(stems["voice"], from_hertz["voice"], atol=1e-3)
    with pytest.raises(na.ParameterError, match="pitch_unit is 'cents'"):
        na.F0Separator(pitch=path, pitch_unit="cents")


@pytest.mark.parametrize(
    ("start", "stop", "message"),
    [
        (0.0, 0.2, r"has a pitch in \d+% of the recording"),
        (1.0, 9.0, r"goes on until 9\.0 s, the recording ends at 2\.0 s"),
    ],
)
def test_a_table_of_another_stretch_is_doubted(start, stop, message):
    voice, rest, _ = inputs()
    times = np.arange(start, stop + 0.01, 0.01)
    pitch = na.separators.Pitch(times, np.full(len(times), 300.0))
    with pytest.warns(na.errors.AudioWarning, match=message):
        na.F0Separator(pitch=pitch, **QUICK)(voice + rest, SR)


@pytest.mark.parametrize("name", ["p.csv", "p.TSV", "p.txt", "p.f0", "p.pv", "p", "p.dat"])
def test_the_table_is_told_from_the_recording_by_its_content(tmp_path, name, monkeypatch):
    from nmfaudio.cli.separate import SeparateCommand

    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("time\tf0\n0.1\t200\n0.2\t0\n")
    for order in (["song.wav", name], [name, "song.wav"]):
        command = SeparateCommand.parse("f0", order)
        assert command.files == ("song.wav",)
        assert command.separator.pitch == name


def test_recordings_and_other_texts_are_no_tables(tmp_path):
    from nmfaudio.separators.pitch_track import is_pitch_table

    for name, content in (
        ("a", b"RIFF\0\0"),
        ("b", b"\xff\xfe1\0"),
        ("c", b"no numbers"),
        ("d", b""),
    ):
        (tmp_path / name).write_bytes(content)
        assert not is_pitch_table(tmp_path / name)
    assert not is_pitch_table(tmp_path)
    assert not is_pitch_table(tmp_path / "none")


@pytest.mark.slow
def test_the_example_of_the_documentation_is_better_than_the_mixture():
    y, sr = na.read(na.example("trio"))
    sources = {
        path: na.read(na.example("trio", f"sources/{path}.flac")).samples
        for path in ("oboe", "guitar", "bassoon")
    }
    stems = na.f0(y, sr, pitch=na.example("trio", "oboe.csv"))
    true = {"voice": sources["oboe"], "rest": sources["guitar"] + sources["bassoon"]}
    assert all(
        na.metrics.si_sdr(s, stems[n]) > na.metrics.si_sdr(s, y) + 8 for n, s in true.items()
    )


def test_a_pair_of_arrays_and_nan_are_a_pitch_track():
    times, hertz = np.arange(0, 0.5, 0.01), np.full(50, 220.0)
    hertz[:10] = np.nan  # as pYIN marks frames without pitch
    y = np.random.default_rng(0).standard_normal(SR // 2)
    settings = {"n_components": 2, "max_iter": 3}
    pair = na.F0Separator(pitch=(times, hertz), **settings)(y, SR)
    track = na.F0Separator(pitch=na.separators.Pitch(times, np.nan_to_num(hertz)), **settings)
    assert np.array_equal(pair["voice"], track(y, SR)["voice"])
    assert na.separators.Pitch(times, hertz).hertz[:11].tolist() == [0.0] * 10 + [220.0]
    with pytest.raises(na.ParameterError, match="pitch is 220"):
        na.F0Separator(pitch=220)(y, SR)
