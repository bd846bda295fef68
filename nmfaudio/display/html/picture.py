"""Picture of a result, embedded in HTML."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from nmfaudio._common.figures import encode_figure
from nmfaudio.errors import MissingExtraError, NmfAudioError

_MOST_BYTES = 500_000
_RESOLUTIONS = (150, 100, 75, 50)  # dots per inch, the first whose file is small enough
_WIDTH = 80  # pixels of the page for an inch of the figure


@dataclass(frozen=True)
class Picture:
    """Figure that is drawn when it is shown.

    Parameters
    ----------
    plot : callable
        Function without arguments that returns axes or `Panels` of a new figure.
    text : str
        Description for readers who do not see it.
    """

    plot: Callable[[], Any]
    text: str

    def html(self) -> tuple[str, str]:
        """Draw the figure.

        Returns
        -------
        image : str
            Image element; empty if there is none.
        missing : str
            Reason why there is none; empty if there is one.
        """
        try:
            figure = self.plot().figure
        except MissingExtraError:
            return "", "The picture needs matplotlib: install the extra “plot”."
        except NmfAudioError as error:
            return "", f"There is no picture: {error}."
        files = (_with_palette(encode_figure(figure, dpi)) for dpi in _RESOLUTIONS)
        content = next((file for file in files if 4 * len(file) <= 3 * _MOST_BYTES), None)
        if content is None:
            return "", "There is no picture: its file would be too large."
        source = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
        width = round(_WIDTH * figure.get_figwidth())
        image = (
            f'<img src="{source}" width="{width}" alt="{escape(self.text)}" '
            'style="max-width:100%;height:auto;border-radius:6px">'
        )
        return image, ""


def _with_palette(content: bytes) -> bytes:
    """PNG file of 256 colours, about a third as large and the same to the eye."""
    from PIL import Image  # matplotlib requires it

    smaller = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        few = image.convert("RGB").quantize(
            256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        few.save(smaller, format="png", optimize=True)
    return smaller.getvalue()
