"""Tempo maps: beats as the tempo changes and time signatures of a MIDI file."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nmfaudio.symbolic.beats import Beats

_LONGEST = 16_000_000  # µs of a quarter note; a tempo has 24 bits


class TempoMap:
    """Ticks of times, and the events of the tempo, for a file that begins at 0 s.

    The time before the first beat is divided into beats of about the same length. If these
    and the beats before the first downbeat form no whole bars, the first bar is shorter.

    Parameters
    ----------
    beats : Beats
    """

    TICKS_PER_QUARTER: ClassVar[int] = 19_200  # divisible by 128 and 3; less than 0.1 ms at 40 bpm

    def __init__(self, beats: Beats) -> None:
        times = beats.times
        first = float(times[0])
        if first < 0:  # such as a beat before a note that begins the recording
            times = np.concatenate([[0.0], times[times > 0]])
            count = int(np.sum(beats.times < 0)) - 1
        else:
            period = float(times[1] - times[0])
            lead = 0 if first == 0 else max(1, round(first / period))
            times = np.concatenate([np.linspace(0, first, lead, endpoint=False), times])
            count = -lead
        self._beats = beats
        # Beats before the first downbeat of the file.
        self._pickup = (beats.first_downbeat - count) % beats.per_bar
        self._beat = round(self.TICKS_PER_QUARTER * beats.quarters)
        self._tempos, self._times = self._round(times)

    def _round(self, times: np.ndarray) -> tuple[list[int], np.ndarray]:
        """Quarter notes of each beat in µs, and the times of the beats that follow from them."""
        quarters = self._beats.quarters
        tempos, rounded = [], [0.0]
        for time in times[1:]:
            # From the rounded beat before, so that errors do not add up.
            tempo = round((time - rounded[-1]) * 1e6 / quarters)
            tempos.append(min(max(1, tempo), _LONGEST))
            rounded.append(rounded[-1] + tempos[-1] * quarters / 1e6)
        return tempos, np.array(rounded)

    def ticks(self, seconds: float) -> int:
        """Tick of a time in seconds."""
        times = self._times
        beat = min(int(np.searchsorted(times, seconds, side="right")) - 1, len(times) - 2)
        share = (seconds - times[beat]) / (times[beat + 1] - times[beat])
        return round(float(beat + share) * self._beat)

    def track(self) -> Any:
        """Track of mido with the tempo of each beat and the time signatures."""
        import mido

        signatures = {self._pickup * self._beat: self._beats.time_signature}
        if self._pickup:
            numerator, denominator = self._beats.time_signature
            share = numerator // self._beats.per_bar
            signatures[0] = (self._pickup * share, denominator)
        events = [
            (tick, mido.MetaMessage("time_signature", numerator=above, denominator=below))
            for tick, (above, below) in signatures.items()
        ]
        last = None
        for beat, tempo in enumerate(self._tempos):
            if tempo != last:
                events.append((beat * self._beat, mido.MetaMessage("set_tempo", tempo=tempo)))
            last = tempo
        track = mido.MidiTrack()
        before = 0
        for tick, event in sorted(events, key=lambda entry: entry[0]):
            track.append(event.copy(time=tick - before))
            before = tick
        return track
