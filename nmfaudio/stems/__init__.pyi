from .grouping import ComponentGroup as ComponentGroup
from .grouping import describe_groups as describe_groups
from .grouping import group_components as group_components
from .stems import Stems as Stems

REST: str
