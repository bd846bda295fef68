from .experiment import Experiment as Experiment
from .results import ExperimentResults as ExperimentResults
from .results import Run as Run
from .running import run_experiment as run_experiment
from .system import System as System
