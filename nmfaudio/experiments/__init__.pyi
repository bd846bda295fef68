from .experiment import Experiment as Experiment
from .experiment import System as System
from .results import ExperimentResults as ExperimentResults
from .results import Run as Run
from .running import run_experiment as run_experiment
