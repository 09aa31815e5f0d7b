"""Mix streams by their share of tokens, for replay in continued pretraining for instance."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeVar

from solarmini.errors import DataError

T = TypeVar("T")
Stop = Literal["first", "all"]


def mix(
    streams: Sequence[Iterator[T]],
    weights: Sequence[float],
    size: Callable[[T], int],
    *,
    stop: Stop = "first",
) -> Iterator[tuple[int, T]]:
    """Yield (stream, item) so that the streams' sizes stay in proportion to their weights.

    Always the stream that is furthest behind its share gives the next item (the first of equals),
    so the order depends on nothing but the items. With ``stop="first"`` it ends when a stream
    that is due has nothing left: the shares hold to the end. With ``"all"`` the others go on and
    everything is given exactly once.
    """
    if len(streams) != len(weights) or any(not weight > 0 for weight in weights):
        raise DataError("mixing needs one weight above zero for every source")
    given = [0] * len(streams)
    open_streams = list(range(len(streams)))
    while open_streams:
        due = min(open_streams, key=lambda index: given[index] / weights[index])
        item = next(streams[due], None)
        if item is None:
            if stop == "first":
                return
            open_streams.remove(due)
            continue
        given[due] += size(item)
        yield due, item
