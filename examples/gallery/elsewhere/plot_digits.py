"""
Parts of digits
===============

NMF is not only for sound. Images of handwritten digits are approximated by sums of sixteen
templates, which are pieces of strokes, since nothing can be subtracted. The estimator has the
methods of scikit-learn, here as a step before a classifier.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

import nmfaudio as na

images, labels = load_digits(return_X_y=True)
train, test = slice(0, 1200), slice(1200, None)
model = na.estimators.NMF(16, random_state=0)
classifier = make_pipeline(model, KNeighborsClassifier(5))
accuracy = classifier.fit(images[train], labels[train]).score(
    images[test], labels[test]
)
print(f"{accuracy:.0%} of the digits recognised from 16 activations")
assert accuracy > 0.8

fig, panels = plt.subplots(2, 8, figsize=(8, 2.4), layout="constrained")
for ax, part in zip(panels.flat, model.components_, strict=True):
    ax.imshow(part.reshape(8, 8), cmap="gray_r")
    ax.axis("off")
