"""Short recording with two stems, two notes, and its report."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.display.report.contents import ComponentSound, ReportContents

SR = 16000
SECONDS = 3
TONES = (220.0, 880.0, 1760.0, 3520.0)  # Hz, of the components
HOSTILE = "</script><img src=x onerror=hacked=1>'\"&\u2028"


def tone(k):
    """A component: beeps of one frequency, at times of its own."""
    time = np.arange(SECONDS * SR) / SR
    envelope = np.maximum(0, np.sin(2 * np.pi * (1 + 0.4 * k) * time)) ** 4
    return (0.2 * envelope * np.sin(2 * np.pi * TONES[k] * time)).astype(np.float32)


def contents(names=("low", "high"), title="beeps", **settings):
    """Contents of a report of four components in two stems."""
    parts = [tone(k) for k in range(4)]
    stems = {names[0]: (parts[0] + parts[1])[None], names[1]: (parts[2] + parts[3])[None]}
    mixture = sum(stems.values())
    stft = na.Stft(SR, 1024)
    V = np.abs(stft.forward(mixture))[0]
    W = np.stack([np.abs(stft.forward(part[None]))[0].mean(1) for part in parts], axis=1)
    return ReportContents(
        title=title,
        sr=SR,
        mixture=mixture,
        stems=stems,
        groups={names[0]: (0, 1), names[1]: (2, 3)},
        decomposition=na.nmf(V, W=W, max_iter=20, rng=0),
        transform=stft,
        sounds={k: ComponentSound(0.0, part) for k, part in enumerate(parts)},
        settings={"max_iter": 20},
        notes=(na.Note(0.2, 0.6, 57), na.Note(1.0, 1.5, 81, 0.4)),
        recording="beeps in a row.wav",
        **settings,
    )


@pytest.fixture(scope="session")
def beeps():
    return contents()
