"""What a service counts, for Prometheus; nothing of what a post says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
POSTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ours = self.registry
        self.requests = Counter("mner_requests", "Requests by route and status.", ["route", "status"], registry=ours)
        self.seconds = Histogram(
            "mner_request_seconds", "Seconds of a request for entities.", ["pictures"], buckets=SECONDS, registry=ours
        )
        self.posts = Counter("mner_posts", "Posts that were tagged.", registry=ours)
        self.entities = Counter("mner_entities", "Entities by label.", ["label"], registry=ours)
        self.pictures = Counter(
            "mner_pictures", "Pictures by what became of them; none for a post without.", ["status"], registry=ours
        )
        self.late = Counter("mner_grounder_late", "Posts that a grounder was too late for.", registry=ours)
        self.batches = Histogram("mner_batch_posts", "Posts that the model read at once.", buckets=POSTS, registry=ours)
        self.picture_seconds = Histogram(
            "mner_picture_seconds", "Seconds that a worker took for one picture.", buckets=SECONDS, registry=ours
        )

    def watch(self, name: str, what: str, value: Callable[[], float], *, counts: bool = False) -> None:
        """Show a value that the service keeps itself; ``counts``: one that only grows."""
        self.registry.register(_Live(CounterMetricFamily if counts else GaugeMetricFamily, name, what, value))

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


@dataclass(frozen=True)
class _Live(Collector):
    """A value that is looked up when it is shown."""

    family: type[CounterMetricFamily] | type[GaugeMetricFamily]
    name: str
    what: str
    value: Callable[[], float]

    def collect(self) -> Iterator[Metric]:
        """The value now."""
        yield self.family(self.name, self.what, value=self.value())
