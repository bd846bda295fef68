"""Hot loops: Numba, arrays and scalars only; nothing here imports the rest of the package.

- `jit`: how every loop is compiled
- `tiles`: the two small matrix products all else is made of
- `cells`: what the beta-divergence does to single time-frequency bins
- `mm`: one majorisation-minimisation step on one factor
- `sweep`: one pass over the spectrogram for plain NMF, which never stores the model
- `hals`: coordinate descent on whole components for the squared Euclidean distance
- `median`: running medians, which tell what is steady from what is broad
- `products`: threaded matrix products with a fixed summation order
- `threads`: how many threads, and how work is dealt to them

**Layout.** Time-major: a spectrogram is (time, freq), activations (time, component), templates
(component, freq), each C-contiguous. That is the memory of `librosa.stft`'s array, seen
transposed, so nothing is copied, and every inner loop runs along frequency or components.

**Reproducible sums.** What is added over frames is added within fixed chunks of frames, and the
chunks in order. Threads only decide who computes a chunk, so their number changes no bit.
"""
