from .loading import load_dataset as load_dataset
from .piece import Piece as Piece
