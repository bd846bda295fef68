"""Numba kernels on arrays and numbers, and the threads that run them.

For products ``W H``, convolutive models and sums of products, in whole passes over V:

- `sweep`: one pass over the spectrogram, which never stores the model; `blocks`: its steps on one
  block of frames
- `activation_gradients`: the gradient for the activations of all frames, where these are computed
  from other factors
- `sum_of_products`: the same kind of pass for sums of entrywise products
- `gliding`: a sweep for sparse templates of sounds at gliding pitches
- `strips`: gradient parts of a block, strip by strip, in tiles of vector registers;
  `strips_portable`: the same in plain loops; `backend`: choice of one of the two
- `formulas`: the beta-divergence and its gradient, for vectors of bins
- `tiles`, `vectors`, `lanes`: tiles of registers, operations on them, and arithmetic on single
  registers, which Numba lacks; `machine`: the registers of this processor
- `layout`: padding, alignment, strips, panels and chunks; `packing`: the copies of W that a sweep
  reads, and the sums of what it accumulates

For any model, step by step:

- `products`: threaded matrix products; `gemm_tiles`, `gemm`: what they compute, in tiles of vector
  registers and in plain loops
- `envelopes`: convolutions in time, component by component
- `beta_divergence`: the beta-divergence and its gradient, for whole arrays
- `hals`: coordinate descent on whole components for the squared Euclidean distance
- `ccd`: coordinate descent on single entries for the Kullback–Leibler divergence
- `frame_updates`: activations of a few frames for fixed templates, in streams

For both:

- `bundles`: named tuples that kernels take as arguments
- `majorisation`: one majorisation-minimisation step on one factor
- `threads`: number of threads, and loops over them
- `jit`: compilation; `machine_code`: the cache of its results

Also: `activity`, recursions over time; `frames`, magnitudes and overlap-add; `median`, running
medians; `wiener`, the multichannel Wiener filter, and `wiener_stereo`, its closed form for two
channels.

Glossary
--------
chunk : frames × freq
    Consecutive blocks of V, at most `layout.MAX_CHUNKS` in each shard, whose number depends on the
    number of frames alone. Each has separate sums, which are added in the order of the chunks.
shard : frames × freq
    49152 frames, divided into chunks as if nothing came before or after.
block : (FRAMES, freq), with activations (FRAMES, depth)
    48 frames, which stay in the second-level cache between the two passes over them.
strip : (FRAMES, columns)
    Range of frequencies of a block that is processed at a time, as wide as a tile of the model: 64
    in float32 with AVX-512. The remaining frequencies form narrow strips of one vector each.
tile : rows × vectors
    Block of vector registers as one value of compiled code (`tiles.Shape`): 6 × 4 with AVX-512
    for the model and ``Hᵀ A``, 12 × 2 for ``A Wᵀ``.
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
never stored. So a sweep takes 48 frames at a time, reads them in place, and loads the next block
into the cache meanwhile. The strip of the model's ratios, of W and of the gradient for W fit into
the first-level cache together; W is copied strip by strip, since rows of W would touch a page of
memory for each component. Within a strip, a tile of 6 × 4 registers is summed over the components
(each step loads four vectors and six single numbers for 24 multiply-adds), turned into ratios in
place, and stored once. Both other products read it from there: ``A Wᵀ`` with components along the
registers, which needs panels of W but no sums across a register; ``Hᵀ A`` with frequencies along
them.

Measured on one core with two 512-bit units, where a loop of multiply-adds in tiles reaches 222
GFlop/s in float32, with 8 / 32 / 128 components: model and ratios 92 / 146 / 157, ``A Wᵀ`` 76 / 169
/ 163 (half of a register is empty with 8 components), ``Hᵀ A`` 157 / 171 / 158, whole sweeps 69 /
135 / 138. What made the difference: quotients by an estimated reciprocal and Newton's method (3.7
cycles for 16 lanes instead of 10), views instead of arrays between the inner functions (counting
references took 100 cycles per tile of 200), V read in place, W in strips, offsets known at compile
time, tiles of 24 sums. What made none: larger blocks, huge pages.

Reproducible sums
-----------------
Sums over frames are taken within fixed chunks of frames; those of the chunks of a shard are added
in order, and those of the shards in order in double precision. Threads only decide who computes a
chunk, so their number changes no bit. On machines with other registers the last bits differ.
"""
