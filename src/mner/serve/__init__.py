"""The service: posts over HTTP in, entities out, with what the picture did; `mner serve` starts it."""

from mner.serve.settings import Settings

__all__ = ["Settings"]
