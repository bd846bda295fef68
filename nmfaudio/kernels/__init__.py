"""Numba kernels on arrays and numbers, and the threads that run them.

For ``V ≈ W H`` and for convolutive models, in whole passes over V:

- `sweep`: one pass over the spectrogram, which never stores the model; `blocks`: its steps on one
  block of frames
- `strips`: the operations of a sweep on one strip of a block, in tiles of vector registers;
  `strips_portable`: the same in plain loops; `backend`: choice of one of the two
- `formulas`: the beta-divergence and its gradient, for vectors of bins
- `vectors`, `lanes`: tiles and arithmetic on single registers, which Numba lacks
- `layout`: padding, alignment, panels and chunks

For any model, step by step:

- `products`, `gemm`: threaded matrix products, and the plain loops that compute them
- `envelopes`: convolutions in time, component by component
- `beta_divergence`: the beta-divergence and its gradient, for whole arrays
- `hals`: coordinate descent on whole components for the squared Euclidean distance
- `ccd`: coordinate descent on single entries for the Kullback–Leibler divergence

For both:

- `bundles`: named tuples that kernels take as arguments
- `majorisation`: one majorisation-minimisation step on one factor
- `threads`: number of threads, and loops over them
- `jit`: compilation; `machine_code`: the cache of its results

Also: `frames`, magnitudes and overlap-add; `median`, running medians; `wiener`, the multichannel
Wiener filter, and `wiener_stereo`, its closed form for two channels.

Glossary
--------
chunk : frames × freq
    Consecutive blocks of V, at most `layout.MAX_CHUNKS` in all, whose number depends on the number
    of frames alone. Each has separate sums, which are added in the order of the chunks.
block : (FRAMES, freq), with activations (FRAMES, depth)
    48 frames, copied to memory with aligned rows that stays in the second-level cache.
strip : (FRAMES, columns)
    Range of frequencies of a block that is processed at a time, as wide as a tile of the model: 64
    in float32 with AVX-512. The remaining frequencies form narrow strips of one vector each.
tile : rows × vectors
    Block of vector registers as one value of compiled code (`vectors.Shape`): 6 × 4 for the model
    with AVX-512, 4 × 4 for ``Hᵀ A``.
vector : lanes
    Contents of a register: 16 numbers in float32 with AVX-512, 8 in float64.
lane
    One number of a vector. `lanes.Lanes` writes arithmetic on all of them as if on one.
panel : (freq, components of a vector or a tile)
    Transposed rows of W: components lie next to each other (`layout.panels`).
depth
    Rows of W in a sweep: components, or lags × components, padded to whole vectors.

Memory layout
-------------
Time-major: a spectrogram is (time, freq), activations (time, component), templates
(component, freq), each C-contiguous. That is the memory of `librosa.stft`'s array, seen
transposed, so nothing is copied.

Blocking
--------
An iteration does eight operations per bin and component, and moves hardly any data if the model is
never stored. So a sweep copies 48 frames at a time into a block whose rows, unlike those of V, are
aligned to cache lines. The strip of the model's ratios, of W and of the gradient for W fit into the
first-level cache together. Within a strip, a tile of 6 × 4 registers is summed over the components
(each step loads four vectors and six single numbers for 24 multiply-adds), turned into ratios in
place, and stored once. Both other products read it from there: ``A Wᵀ`` with components along the
registers, which needs panels of W but no sums across a register; ``Hᵀ A`` with frequencies along
them. Measured on one core with AVX-512, where a loop of multiply-adds compiled by LLVM (256-bit
vectors) reaches 113 GFlop/s in float32 and one in tiles about 170, with 8 / 32 / 128 components:
model and ratios 65 / 97 / 110 (limited by divisions), ``A Wᵀ`` 95 / 113 / 114, ``Hᵀ A`` 110 / 113 /
114.

Reproducible sums
-----------------
Sums over frames are taken within fixed chunks of frames, and those of the chunks are added in
order. Threads only decide who computes a chunk, so their number changes no bit. On machines with
other registers the last bits differ.
"""
