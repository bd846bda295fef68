"""NMF of a corpus that fits neither into memory nor on one machine.

The frames of the corpus are divided into *shards*, which depend on the lengths of its blocks alone.
A *task* computes the sums of a *part* of the corpus, which is a shard or a few short ones, and
leaves them in a file. Further tasks add the parts of a *group*, and the driver adds the groups and
updates the templates: the same sums, in the same order, as those of `solvers.fused` for a matrix in
memory. Tasks get the folder of the fit and numbers, and return at once if their result exists, so
that they may run anywhere, in any order and again.
"""
