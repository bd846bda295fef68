"""Results as HTML for notebooks: facts, a picture and players in one piece of limited size.

A piece has no style sheet and no script, inherits colours and fonts from its surroundings, and
still reads well where a viewer removes its players.
"""

from nmfaudio.display.html.results import (
    decomposition_html,
    dictionary_html,
    evaluation_html,
    rank_selection_html,
    stems_html,
)
from nmfaudio.display.html.transcriptions import (
    note_scores_html,
    note_summary_html,
    transcribed_file_html,
    transcription_html,
)

__all__ = [
    "decomposition_html",
    "dictionary_html",
    "evaluation_html",
    "note_scores_html",
    "note_summary_html",
    "rank_selection_html",
    "stems_html",
    "transcribed_file_html",
    "transcription_html",
]
