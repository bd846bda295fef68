"""Network for open hi-hats bundled with the package: ``open_hihats.npz``.

It is trained on the decay of hi-hats in grooves with the probabilities of ``strokes.npz``; this
takes about two minutes of one core, and needs what `stroke_classifier` needs. The same versions
produce the same bytes on the same kind of processor, for any number of threads.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from drum_grooves import perform_groove
from drum_strokes import kits
from sklearn.neural_network import MLPClassifier
from sound import SR
from stroke_classifier import LABELS, Onsets, averaged, joined, labels
from threadpoolctl import threadpool_limits

from nmfaudio.audio.masking import analyse
from nmfaudio.dictionaries.drum_detection import hit_transform
from nmfaudio.dictionaries.hihat_decay import POSSIBLE, decay_features
from nmfaudio.dictionaries.stroke_classifier import bundled_classifier
from nmfaudio.dictionaries.stroke_features import stroke_bands, stroke_features, stroke_onsets

SEED = 12
GROOVES, SECONDS = 900, 16
NETWORKS, HIDDEN, EPOCHS, RATE, DECAY = 5, 24, 12, 2e-3, 1.0


def make(folder: Path) -> None:
    """Write ``open_hihats.npz``."""
    with threadpool_limits(1):  # sums of several threads are rounded in another way
        X, y = training_data()
        offset, scale = X.mean(axis=0), X.std(axis=0) + np.float32(0.01)
        nets = []
        for number in range(NETWORKS):
            net = MLPClassifier((HIDDEN,), alpha=DECAY, batch_size=256, learning_rate_init=RATE)
            net.set_params(max_iter=EPOCHS, random_state=number)
            nets.append(net.fit((X - offset) / scale, y))
        np.savez_compressed(folder / "open_hihats", **averaged(nets, offset, scale).arrays())


def training_data() -> Onsets:
    """Features of strokes that may be of a hi-hat, and whether it was open [shape=(onset,)]."""
    strokes, transform = kits(), hit_transform(SR)
    hop, classifier, found = transform.hop_seconds, bundled_classifier(), []
    for number in range(GROOVES):
        rng = np.random.default_rng([SEED, number])
        kit = strokes[rng.integers(len(strokes))]
        y, played = perform_groove(strokes, kit, rng, SECONDS, varied=True)
        bands = stroke_bands(analyse(y[None], transform), transform)
        onsets = stroke_onsets(bands, hop)
        struck = classifier.probabilities(stroke_features(bands, onsets, hop))
        possible = struck["hihat"] > POSSIBLE
        features = decay_features(bands, onsets, hop, struck)
        is_open = labels(onsets * hop, played)[:, list(LABELS).index("open_hihat")]
        found.append((features[possible], is_open[possible]))
    return joined(found)
