from .blind import BlindSeparator as BlindSeparator
from .denoise import DenoiseSeparator as DenoiseSeparator
from .drums import DrumSeparator as DrumSeparator
from .excerpt import Excerpt as Excerpt
from .f0 import F0Separator as F0Separator
from .files import separate_file as separate_file
from .functions import denoise as denoise
from .functions import drums as drums
from .functions import f0 as f0
from .functions import guided as guided
from .functions import hpss as hpss
from .functions import paint as paint
from .functions import regroup as regroup
from .functions import score as score
from .functions import separate as separate
from .guided import GuidedSeparator as GuidedSeparator
from .hpss import HpssSeparator as HpssSeparator
from .inputs import GroupedDecomposition as GroupedDecomposition
from .inputs import SeparationInput as SeparationInput
from .paint import PaintSeparator as PaintSeparator
from .pipeline import NmfSeparator as NmfSeparator
from .pitch_track import Pitch as Pitch
from .pitch_track import read_pitch as read_pitch
from .regroup import RegroupSeparator as RegroupSeparator
from .score import ScoreSeparator as ScoreSeparator
from .separated_file import SeparatedFile as SeparatedFile

SEPARATORS: dict[str, tuple[str, str]]
