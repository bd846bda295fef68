"""Single strokes of drums and percussion: of freely licensed kits, and synthesised.

Recordings are those of kits that may be used for any purpose: Fluid (R3) GM and MuseScore General
(MIT), sonic-pi-samples and the Hydrogen kit Audiophob (CC0), the Hydrogen kit by Emanuel Rumpf
(CC BY 3.0). The strokes of the sample `drums` and its one-shots are excluded.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
from drum_templates import RECORDINGS, from_onset
from performance import DRUM_CHANNEL, Note, Score, Track
from scipy.signal import resample_poly
from sound import SR, load, render

KEYS = {  # General MIDI
    "kick": (35, 36),
    "snare": (38, 40),
    "sidestick": (37,),
    "clap": (39,),
    "closed_hihat": (42,),
    "pedal_hihat": (44,),
    "open_hihat": (46,),
    "low_tom": (41, 43),
    "mid_tom": (45, 47),
    "high_tom": (48, 50),
    "ride": (51, 59),
    "ride_bell": (53,),
    "crash": (49, 57),
    "splash": (55, 52),
    "tambourine": (54,),
    "cowbell": (56,),
    "shaker": (70, 69),
}
SOUNDFONTS = {
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"): (0, 3, 8, 16, 24, 25, 32, 40),
    Path("/usr/share/sounds/sf3/MuseScore_General_Full.sf3"): (0, 16, 24, 32, 40),
}
HYDROGEN = Path("/usr/share/hydrogen/data/drumkits")
HYDROGEN_KITS = ("Audiophob", "rumpf_kit_z01_h2")
NAMES = {  # of instruments of Hydrogen kits; the first that fits
    "sidestick": "stick",
    "clap": "clap",
    "snare": "snare(?! roll)",
    "pedal_hihat": "(hh|hi-hat).*pedal|pedal hh",
    "open_hihat": "hi-hat.*open|open hh",
    "closed_hihat": "hi-hat.*closed|closed hh",
    "kick": "kick|bass drum",
    "low_tom": "low tom|tom low",
    "mid_tom": "tom mid|middle tom",
    "high_tom": "tom hi|high tom",
    "ride_bell": "ride bell",
    "ride": "ride",
    "crash": "crash",
    "cowbell": "cowbell",
}
VELOCITIES = (50, 110)
SECONDS = 1.6

Kit = dict[str, list[tuple[int, int, np.ndarray]]]
"""Strokes of each kind: which of its instruments, velocity, samples."""


def kits() -> list[Kit]:
    """Return the strokes of all kits."""
    found = [font_kit(font, number) for font, numbers in SOUNDFONTS.items() for number in numbers]
    found += [hydrogen_kit(HYDROGEN / name) for name in HYDROGEN_KITS]
    toms = {"low_tom": "lo", "mid_tom": "mid", "high_tom": "hi"}
    recorded = {kind: (f"drum_tom_{n}_soft", f"drum_tom_{n}_hard") for kind, n in toms.items()}
    recorded["crash"] = ("drum_cymbal_soft", "drum_cymbal_hard")
    recorded["splash"] = ("drum_splash_soft", "drum_splash_hard")
    recorded["kick"], recorded["cowbell"] = ("drum_heavy_kick",), ("drum_cowbell",)
    electronic = {kind: tuple(RECORDINGS[kind].split()) for kind in ("kick", "snare")}
    electronic |= {"closed_hihat": ("elec_cymbal",), "mid_tom": ("elec_fuzz_tom",)}
    for names_of in (recorded, electronic):
        found.append(
            {
                kind: [(0, 60 if "soft" in name else 110, stroke(load(name))) for name in names]
                for kind, names in names_of.items()
            }
        )
    return found


def font_kit(font: Path, number: int, *, on_channel: int = DRUM_CHANNEL) -> Kit:
    """Render the strokes of a General MIDI kit, all in one piece."""
    keys = [(kind, key, v) for kind, ks in KEYS.items() for key in ks for v in VELOCITIES]
    step = SECONDS + 0.3
    notes = tuple(Note(i * step, step - 0.4, key, v) for i, (_, key, v) in enumerate(keys))
    track = Track("drums", on_channel, notes, number)
    score = Score("", [(0, 60)], (track,))
    y = render(score, track, seconds=len(keys) * step, font=font)
    kit: Kit = {}
    for i, (kind, key, velocity) in enumerate(keys):
        sound = y[:, round(i * step * SR) : round((i * step + SECONDS) * SR)]
        if np.abs(sound).max() > 1e-5:
            kit.setdefault(kind, []).append((key, velocity, stroke(sound)))
    return kit


def hydrogen_kit(folder: Path, names: Mapping[str, str] = NAMES) -> Kit:
    """Read the strokes of a Hydrogen kit, of instruments that the names of kinds fit."""
    text = (folder / "drumkit.xml").read_text(errors="replace")
    kit: Kit = {}
    for number, entry in enumerate(
        ElementTree.fromstring(re.sub('xmlns="[^"]+"', "", text)).iter("instrument")
    ):
        name = (entry.findtext("name") or "").lower()
        kind = next((kind for kind, words in names.items() if re.search(words, name)), None)
        layers = [x for x in (*entry.iter("layer"), entry) if x.findtext("filename")]
        for layer in layers[:: max(1, len(layers) // 2)] if kind else ():
            y, sr = soundfile.read(folder / str(layer.findtext("filename")), always_2d=True)
            y = resample_poly(y, SR, sr) if sr != SR else y
            loudest = round(127 * float(layer.findtext("max") or 1))
            kit.setdefault(str(kind), []).append((number, loudest, stroke(y.T)))
    return kit


def stroke(y: np.ndarray) -> np.ndarray:
    """Cut a stroke in mono from its onset on."""
    return from_onset(y.mean(axis=0))[: round(SECONDS * SR)]
