"""Hot loops: Numba, arrays and scalars only; nothing here imports the rest of the package.

For ``V ≈ W H`` and for convolutive models, in whole passes over V:

- `sweep`: one pass over the spectrogram, which never stores the model; `blocks`: what it does to
  one block of frames
- `strips`: what a sweep does to a strip of a block of frames, in tiles of vector registers
- `formulas`: what a beta-divergence does to single bins, for a vector of them at a time
- `vectors`, `lanes`: tiles and arithmetic on single registers, which Numba has not
- `plain`, `backend`: the same as `strips` in plain loops, and which of the two it is
- `layout`: padding, alignment, panels and chunks

For any model, step by step:

- `products`, `tiles`: threaded matrix products, from two small ones in plain loops
- `envelopes`: convolutions in time, component by component
- `cells`: what the beta-divergence does to whole arrays
- `hals`: coordinate descent on whole components for the squared Euclidean distance
- `ccd`: coordinate descent on single entries for the Kullback–Leibler divergence

For all of them:

- `mm`: one majorisation-minimisation step on one factor
- `median`: running medians, which tell what is steady from what is broad
- `wiener`: the multichannel Wiener filter, bin by bin
- `threads`: how many threads, and how work is dealt to them
- `jit`: how every loop is compiled, and where machine code is kept

**Layout.** Time-major: a spectrogram is (time, freq), activations (time, component), templates
(component, freq), each C-contiguous. That is the memory of `librosa.stft`'s array, seen
transposed, so nothing is copied.

**Blocking.** An iteration does eight operations per bin and component, and moves hardly any data if
the model is never stored. So a sweep takes 48 frames at a time into a block that stays in the
second cache: there, rows begin at lines of the cache, whatever V's own do. The block is cut into
strips as wide as a tile, 64 bins in float32 with AVX-512; the strip of the model's ratios, of W and
of what is gathered for W fit into the first cache together. Within a strip, a tile of 6 × 4
registers is summed over the components (two loads of four make 24 multiply-adds), turned into
ratios in place, and stored once. Both other products read it from there: for H with components
along the registers, which needs W turned around (`layout.panels`) but no sums across a register;
for W with frequencies along them. Measured on one core with AVX-512, of a possible 113 GFlop/s in
float32 with 8 / 32 / 128 components: model and ratios 65 / 97 / 110 (the divisions show), the
product for H 95 / 113 / 114, that for W 110 / 113 / 114.

**Reproducible sums.** What is added over frames is added within fixed chunks of frames, and the
chunks in order. Threads only decide who computes a chunk, so their number changes no bit. On
machines with other registers the last bits differ.
"""
