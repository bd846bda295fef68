from .attack_decay import AttackDecayModel as AttackDecayModel
from .decoding import Decoding as Decoding
from .drums import DrumTranscriber as DrumTranscriber
from .note_model import NoteModel as NoteModel
from .result import Transcription as Transcription
from .salience import Salience as Salience
from .transcriber import Transcriber as Transcriber
