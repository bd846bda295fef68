from .dictionary import Dictionary as Dictionary
from .drum_learning import learn_drums as learn_drums
from .learning import learn as learn
from .note_dictionary import NoteDictionary as NoteDictionary
from .recordings import Recording as Recording
from .sonification import audition as audition
