"""Speed of the factorisation and of whole runs, with peers: ``python -m benchmarks.speed``.

- `sound`: test signals, three minutes made of the samples
- `measure`: time per iteration, in rounds that alternate between this package and its peers
- `peers`: all implementations behind one interface
- `limits`: peak arithmetic and memory bandwidth of the machine
- `kernels`, `solvers`, `processes`: measurements
- `librosa_job`: separation of a file as a script of librosa and scikit-learn
- `table`: results as Markdown
"""
