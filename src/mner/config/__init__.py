"""TOML file -> checked configuration; every fault is reported at once, dotted path first."""

from mner.config.read import assign, base_of, check, load, read_toml, root_folder, validated
from mner.config.schema import (
    RETIRED,
    Config,
    ContextConfig,
    DataConfig,
    DecodeConfig,
    LossConfig,
    ModelConfig,
    Section,
    Source,
    Substitute,
    TeachersConfig,
    TrainingConfig,
    VisionConfig,
)
from mner.config.toml import dumps, dumps_table, row_toml

__all__ = [
    "RETIRED",
    "Config",
    "ContextConfig",
    "DataConfig",
    "DecodeConfig",
    "LossConfig",
    "ModelConfig",
    "Section",
    "Source",
    "Substitute",
    "TeachersConfig",
    "TrainingConfig",
    "VisionConfig",
    "assign",
    "base_of",
    "check",
    "dumps",
    "dumps_table",
    "load",
    "read_toml",
    "root_folder",
    "row_toml",
    "validated",
]
