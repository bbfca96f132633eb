"""TOML file -> checked configuration; every fault is reported at once, dotted path first."""

from mner.config.read import check, load, root_folder
from mner.config.schema import (
    Config,
    ContextConfig,
    DataConfig,
    DecodeConfig,
    LossConfig,
    ModelConfig,
    Section,
    Source,
    Substitute,
    TrainingConfig,
    VisionConfig,
)
from mner.config.toml import dumps

__all__ = [
    "Config",
    "ContextConfig",
    "DataConfig",
    "DecodeConfig",
    "LossConfig",
    "ModelConfig",
    "Section",
    "Source",
    "Substitute",
    "TrainingConfig",
    "VisionConfig",
    "check",
    "dumps",
    "load",
    "root_folder",
]
