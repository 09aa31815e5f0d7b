"""Predicted memory against arithmetic that can be done by hand."""

from solarmini.export.memory import predict_memory


def test_solar_10_7b() -> None:
    """48 layers, 8 key heads of 128: 196,608 bytes a position; Q4_K_M is 6.46 GB."""
    found = predict_memory(
        6_461_667_328,
        layers=48,
        key_width=1024,
        value_width=1024,
        hidden=4096,
        feed_forward=14336,
        vocabulary=32000,
        heads=32,
        context=4096,
    )
    assert found.cache == 196_608 * 4096
    assert found.weights == 6_461_667_328
    scores = 128 * 4096 * 32  # of 128 tokens at once, by position and head
    assert found.buffers == 4 * (128 * (4 * 4096 + 2 * 14336) + scores + 12 * 32000)
    assert found.total == found.weights + found.cache + found.buffers + found.program
    assert found.to_dict()["total"] == found.total


def test_streams_multiply_the_cache_and_not_the_weights() -> None:
    sizes = {
        "layers": 2,
        "key_width": 16,
        "value_width": 16,
        "hidden": 32,
        "feed_forward": 64,
        "vocabulary": 384,
        "heads": 4,
    }
    one = predict_memory(1000, **sizes, context=250)
    eight = predict_memory(1000, **sizes, context=250, parallel=8)
    assert one.cache == 2 * 2 * 256 * 32  # the cache comes in steps of 256 positions
    assert eight.cache == 8 * one.cache
    assert eight.weights == one.weights
