from .factors import plot_factors as plot_factors
from .losses import plot_losses as plot_losses
from .spectrograms import plot_stems as plot_stems
from .templates import plot_dictionary as plot_dictionary
