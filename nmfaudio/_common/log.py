"""The logger of the package, which is silent unless the application configures logging."""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("nmfaudio")
LOGGER.addHandler(logging.NullHandler())
