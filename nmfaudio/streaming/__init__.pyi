from .events import NoteEvent as NoteEvent
from .stream import Stream as Stream
