"""Print a constraint ``name==version`` for the lower bound of every run-time dependency."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = ("plot", "midi", "score", "sklearn", "pandas", "dask", "widget", "m4a")
needed = [
    *project["dependencies"],
    *(d for e in extras for d in project["optional-dependencies"][e]),
]
for requirement in needed:
    print(re.sub(r"^([\w.-]+)(?:\[\w+\])?>=([\w.]+)$", r"\1==\2", requirement))
