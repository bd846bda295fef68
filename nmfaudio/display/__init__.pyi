from .plots import plot_dictionary as plot_dictionary
from .plots import plot_factors as plot_factors
from .plots import plot_losses as plot_losses
from .plots import plot_stems as plot_stems
