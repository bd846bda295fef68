from .alignment import align as align
from .conversion import as_notes as as_notes
from .drum_hits import read_hits as read_hits
from .drum_peaks import pick_hits as pick_hits
from .note import Note as Note
from .notes import read_notes as read_notes
from .writing import write_notes as write_notes
