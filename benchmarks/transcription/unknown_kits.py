"""Drums of kits that nothing was learned from: ``python -m benchmarks.transcription.unknown_kits``.

Grooves as on ordinary drum tracks (`audio_samples/make/drum_grooves.py`) are played on kits of the
Debian packages timgm6mb-soundfont, avldrums.lv2-soundfont, hydrogen-drumkits, hydrogen-data and
lmms-common, whose licences forbid that the shipped networks learn from them. Settings were chosen
with the kits of the first group in view, and one with those of the second: that strokes on the rim
have no template.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

import nmfaudio as na
from benchmarks.transcription.sound import SR

sys.path.append(str(Path(__file__).parents[2] / "audio_samples" / "make"))
from drum_grooves import perform_groove
from drum_strokes import HYDROGEN, Kit, font_kit, hydrogen_kit, stroke

SEED, GROOVES, SECONDS, TOLERANCE = 77, 6, 20, 0.05
FONTS = Path("/usr/share/sounds/sf2")
LMMS = Path("/usr/share/lmms/samples/drums")
GROUPS = {
    "settings chosen on": (
        "TimGM6mb 0", "TimGM6mb 24", "ColomboAcousticDrumkit", "ForzeeStereo",
        "Millo_MultiLayered2", "Millo_MultiLayered3", "HardElectro1", "ElectricEmpireKit",
        "GMRockKit", "Black_Pearl_4_LV2",
    ),
    "left out": (
        "TimGM6mb 25", "BJA_Pacific", "Millo-Drums_v.1", "VariBreaks",
        "TR808EmulationKit", "lmms",
    ),
}  # fmt: skip
PARTS = {
    "kick": ("kick",),
    "snare": ("snare",),
    "hihat": ("closed_hihat", "pedal_hihat", "open_hihat"),
    "closed_hihat": ("closed_hihat", "pedal_hihat"),
    "open_hihat": ("open_hihat",),
    "toms": ("low_tom", "mid_tom", "high_tom"),
    "ride": ("ride",),
    "crash": ("crash",),
}
NAMES = {  # of instruments of Hydrogen kits; the first that fits, where "" is none
    "sidestick": "stick|rim click|click",
    "": "semi|swish|choke|roll|free|tambourine|agogo|conga|drum [12]|zap|fx|whistle|noise|flink|nz"
    "|side o?hh|shaker|clave|clap|cowbell|bell|cup|splash|china",
    "snare": "snare",
    "pedal_hihat": "(hh|hat).*(ped|pd)|pedal h",
    "open_hihat": "hat.*op|open h",
    "closed_hihat": "hat.*cl|closed h|hat ring",
    "kick": "kick|bass ?drum",
    "low_tom": "low tom|tom ?low|floor",
    "mid_tom": "tom ?mid|middle tom|tom ?2|^tom$",
    "high_tom": "tom ?hi|high tom|tom ?1",
    "ride": "ride",
    "crash": "crash|cymbal",
}
FILES = {  # of lmms
    "kick": "bassdrum*01 kick0*", "snare": "snare0* snare_ac*", "sidestick": "sidestick*",
    "closed_hihat": "hihat_closed*", "pedal_hihat": "hihat_foot*", "open_hihat": "hihat_opened*",
    "low_tom": "tom_low*", "mid_tom": "tom_mid*", "high_tom": "tom_hi*", "ride": "ride*",
    "crash": "crash*",
}  # fmt: skip


def main() -> None:
    for group, names in GROUPS.items():
        kits = {name: load(name) for name in names}
        print(f"\n{group}\n\n| kit | {' | '.join(PARTS)} |\n|---|{'---|' * len(PARTS)}")
        rows: list[dict[str, np.ndarray]] = []
        for number, name in enumerate(names):
            counted = list(scored(list(kits.values()), kits[name], SEED + number))
            rows += counted
            print(line(name, {p: f_measure(sum(r[p] for r in counted)) for p in PARTS}))
        means = {p: np.nanmean([f_measure(row[p]) for row in rows]) for p in PARTS}
        print(line("mean of grooves", means))
        print(line("all hits together", {p: f_measure(sum(r[p] for r in rows)) for p in PARTS}))


def load(name: str) -> Kit:
    """Read the strokes of a kit by its name."""
    if name == "lmms":
        return lmms_kit()
    font, _, number = name.partition(" ")
    if (FONTS / f"{font}.sf2").exists():
        # Fonts for drums alone have them where others have instruments.
        return font_kit(FONTS / f"{font}.sf2", int(number or 0), on_channel=9 if number else 0)
    return hydrogen_kit(HYDROGEN / name, NAMES)


def lmms_kit() -> Kit:
    """Read the strokes of lmms, which have no loudness."""
    kit: Kit = {}
    for kind, patterns in FILES.items():
        paths = sorted(path for each in patterns.split() for path in LMMS.glob(f"{each}.ogg"))
        for number, path in enumerate(paths):
            try:
                y, sr = soundfile.read(path, always_2d=True)
            except soundfile.LibsndfileError:  # one file of the package is no Ogg file
                continue
            y = y if sr == SR else resample_poly(y, SR, sr)
            kit.setdefault(kind, []).append((number, 110, stroke(y.T)))
    return kit


def scored(kits: Sequence[Kit], kit: Kit, seed: int) -> Iterator[dict[str, np.ndarray]]:
    """Matched, played and found hits of each part, of grooves on a kit."""
    for number in range(GROOVES):
        y, played = perform_groove(kits, kit, np.random.default_rng([seed, number]), SECONDS)
        whole = na.DrumTranscriber(parts=("kick", "snare", "hihat", "toms", "ride", "crash"))
        kinds = na.DrumTranscriber(parts=("closed_hihat", "open_hihat"))
        notes = [n for each in (whole, kinds) for n in each.transcribe(y, SR).notes]
        found = {part: [n.onset for n in notes if n.track == part] for part in PARTS}
        true = {part: [t for t, k, _ in played if k in kinds] for part, kinds in PARTS.items()}
        yield {part: matched(true[part], found[part]) for part in PARTS}


def matched(true: Sequence[float], found: Sequence[float]) -> np.ndarray:
    """Numbers of matched, true and found hits."""
    from mir_eval.util import match_events

    pairs = match_events(np.sort(true), np.sort(found), TOLERANCE) if true and found else []
    return np.array([len(pairs), len(true), len(found)])


def f_measure(counts: np.ndarray) -> float:
    """F of matched, true and found hits; NaN where there are none at all."""
    hits, true, found = counts
    return 2 * hits / (true + found) if true + found else math.nan


def line(name: str, figures: Mapping[str, float]) -> str:
    """Row of a table in Markdown."""
    cells = ["" if math.isnan(x) else f"{x:.2f}" for x in figures.values()]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
