"""How fast the factorisation and the whole job are: ``python -m benchmarks.speed``.

- `sound`: what is worked on, three minutes made of the samples
- `measure`: time per iteration, in rounds that alternate between us and the peers
- `peers`: everyone who factors, called alike
- `limits`: what this machine can do at most
- `kernels`, `solvers`, `processes`: what is measured
- `librosa_job`: the whole job as a script of librosa and scikit-learn
- `table`: the results as Markdown
"""
