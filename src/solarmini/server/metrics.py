"""Counters and histograms in Prometheus' text format (version 0.0.4)."""

import bisect
from collections import defaultdict
from collections.abc import Callable, Mapping

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
Labels = tuple[tuple[str, str], ...]


class Counter:
    """A number that grows, one a set of labels."""

    kind = "counter"

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self._values: dict[Labels, float] = defaultdict(float)

    def add(self, amount: float = 1, **labels: str) -> None:
        """Add to the number with these labels."""
        self._values[tuple(sorted(labels.items()))] += amount

    def lines(self) -> list[str]:
        """Return the samples."""
        values = self._values or {(): 0.0}
        return [f"{self.name}{_written(labels)} {value:g}" for labels, value in values.items()]


class Gauge:
    """A number that is looked up when somebody asks."""

    kind = "gauge"

    def __init__(self, name: str, text: str, read: Callable[[], float]) -> None:
        self.name, self.text, self._read = name, text, read

    def lines(self) -> list[str]:
        """Return the sample."""
        return [f"{self.name} {self._read():g}"]


class Histogram:
    """Durations in buckets, one a set of labels."""

    kind = "histogram"

    def __init__(self, name: str, text: str, bounds: tuple[float, ...] = _SECONDS) -> None:
        self.name, self.text, self._bounds = name, text, bounds
        self._buckets: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = defaultdict(float)

    def observe(self, value: float, **labels: str) -> None:
        """Count one value."""
        key = tuple(sorted(labels.items()))
        buckets = self._buckets.setdefault(key, [0] * (len(self._bounds) + 1))
        buckets[bisect.bisect_left(self._bounds, value)] += 1
        self._sums[key] += value

    def lines(self) -> list[str]:
        """Return the samples: buckets that include those below, sum and count."""
        written = []
        for key, buckets in self._buckets.items():
            total = 0
            for bound, count in zip((*self._bounds, float("inf")), buckets, strict=True):
                total += count
                edge = "+Inf" if bound == float("inf") else f"{bound:g}"
                written.append(f"{self.name}_bucket{_written((*key, ('le', edge)))} {total}")
            written.append(f"{self.name}_sum{_written(key)} {self._sums[key]:g}")
            written.append(f"{self.name}_count{_written(key)} {total}")
        return written


class Metrics:
    """Everything that the server counts."""

    def __init__(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        self.requests = Counter("solar_requests_total", "Requests answered, by route and status.")
        self.seconds = Histogram("solar_request_seconds", "Time from request to end of answer.")
        self.first = Histogram("solar_first_token_seconds", "Time to an answer's first text.")
        self.prompt = Counter("solar_prompt_tokens_total", "Tokens of prompts.")
        self.cached = Counter("solar_cached_tokens_total", "Tokens of prompts not computed again.")
        self.answer = Counter("solar_answer_tokens_total", "Tokens of answers.")
        self.pages = Counter("solar_document_pages_total", "Pages of documents read.")
        self.cancelled = Counter("solar_cancelled_total", "Answers that their client left.")
        self._gauges = [Gauge(name, text, read) for name, (text, read) in gauges.items()]

    def text(self) -> str:
        """Return the whole page."""
        lines: list[str] = []
        for metric in (*(m for m in vars(self).values() if hasattr(m, "kind")), *self._gauges):
            lines += [f"# HELP {metric.name} {metric.text}", f"# TYPE {metric.name} {metric.kind}"]
            lines += metric.lines()
        return "\n".join(lines) + "\n"


def _written(labels: Labels) -> str:
    if not labels:
        return ""
    inside = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels)
    return f"{{{inside}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
