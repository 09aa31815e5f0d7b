"""Rules over layer positions, written out as the lists that transformers makes of them.

Each function restates what one configuration class of transformers 5 derives when the list is
absent, for the base's own number of layers; the caller then maps the lists.
"""

from collections.abc import Callable
from typing import Any

from solarmini.errors import PlanError

Text = dict[str, Any]
_FULL, _SLIDING = "full_attention", "sliding_attention"
# The number of dense bottom layers that a configuration class assumes when the key is absent.
_FIRST_DENSE = {"deepseek_v2": 0, "deepseek_v3": 3, "glm4_moe": 1, "dots1": 0}


def write_out(model_type: str, text: Text, n: int) -> None:
    """Replace rules over positions in `text` by explicit lists, in place."""
    if model_type == "gpt2" and text.get("scale_attn_by_inverse_layer_idx"):
        raise PlanError(
            "attention is scaled by the layer's position, so a layer cannot stand elsewhere",
            where="config.json: scale_attn_by_inverse_layer_idx",
        )
    rule = _RULES.get(model_type)
    if rule is not None:
        rule(text, n)
    for key in ("sliding_window_pattern", "_sliding_window_pattern", "full_attention_interval"):
        if text.get("layer_types"):
            text.pop(key, None)  # the list says it now; the pattern would be false


def first_dense_layers(model_type: str, text: Text) -> int | None:
    """Return how many bottom layers are dense in a mixture of experts that counts them so."""
    if model_type not in _FIRST_DENSE:
        return None
    stated = text.get("first_k_dense_replace")
    return _FIRST_DENSE[model_type] if stated is None else int(stated)


def _every(default: int, key: str | None = None) -> Callable[[Text, int], None]:
    """Make every p-th layer (p, 2p, … counted from 1) full attention, the others sliding."""

    def rule(text: Text, n: int) -> None:
        period = int(text.get(key, default)) if key else default
        _set_types(text, [_FULL if (i + 1) % period == 0 else _SLIDING for i in range(n)])

    return rule


def _cwm(text: Text, n: int) -> None:
    _set_types(text, [_FULL if i % 4 == 0 else _SLIDING for i in range(n)])


def _windowed_above(default_first: int, switch: bool) -> Callable[[Text, int], None]:
    """Make layers from `max_window_layers` on sliding (Qwen 2 and 3 need the switch on)."""

    def rule(text: Text, n: int) -> None:
        window = text.get("sliding_window", 4096)
        if switch and not text.get("use_sliding_window", False):
            window = None
        first = text.get("max_window_layers", default_first)
        windowed = range(first if window is not None else n, n)
        _set_types(text, [_SLIDING if i in windowed else _FULL for i in range(n)])

    return rule


def _qwen2_moe(text: Text, n: int) -> None:
    on, first = text.get("use_sliding_window", False), text.get("max_window_layers", 28)
    _set_types(text, [_SLIDING if on and i % 2 == 0 and i < first else _FULL for i in range(n)])
    _sparse_step(text, n)


def _sparse_step(text: Text, n: int) -> None:
    """Name the dense layers one by one instead of by `decoder_sparse_step`."""
    step = text.get("decoder_sparse_step", 1)
    if step != 1:
        named = set(text.get("mlp_only_layers") or [])
        text["mlp_only_layers"] = [i for i in range(n) if i in named or (i + 1) % step != 0]
        text["decoder_sparse_step"] = 1


def _exaone4(text: Text, n: int) -> None:
    if text.get("sliding_window", 4096) is None:
        _set_types(text, [_FULL] * n)
        return
    period = text.get("sliding_window_pattern", 4)
    # "LLLG", three local layers and a global one, means the same as 4
    _every(len(period) if isinstance(period, str) else int(period))(text, n)


def _smollm3(text: Text, n: int) -> None:
    interval = text.get("no_rope_layer_interval", 4)
    if text.get("no_rope_layers") is None:
        text["no_rope_layers"] = [int((i + 1) % interval != 0) for i in range(n)]
    windowed = text.get("use_sliding_window", False) and text.get("sliding_window") is not None
    rotated = text["no_rope_layers"]
    _set_types(text, [_SLIDING if windowed and not rotated[i] else _FULL for i in range(n)])


def _linear_interval(text: Text, n: int) -> None:
    period = text.get("full_attention_interval", 4)
    _set_types(text, [_FULL if (i + 1) % period == 0 else "linear_attention" for i in range(n)])
    _sparse_step(text, n)


def _lfm2(text: Text, n: int) -> None:
    chosen = text.get("full_attn_idxs")
    full = set(range(n) if chosen is None else chosen)
    _set_types(text, [_FULL if i in full else "conv" for i in range(n)])


def _gpt_neo(text: Text, _: int) -> None:
    if text.get("attention_types") is None:
        text["attention_types"] = [[["global", "local"], 12]]
    text.pop("attention_layers", None)  # derived from attention_types when the config is read


def _set_types(text: Text, types: list[str]) -> None:
    if text.get("layer_types") is None:
        text["layer_types"] = types


_RULES: dict[str, Callable[[Text, int], None]] = {
    "qwen2": _windowed_above(28, switch=True),
    "qwen3": _windowed_above(28, switch=True),
    "dots1": _windowed_above(62, switch=False),
    "qwen2_moe": _qwen2_moe,
    "qwen3_moe": _sparse_step,
    "qwen3_next": _linear_interval,
    "qwen3_5_text": _linear_interval,
    "gemma2": _every(2),
    "vaultgemma": _every(2),
    "gpt_oss": _every(2),
    "gemma3_text": _every(6, "sliding_window_pattern"),
    "cohere2": _every(4, "sliding_window_pattern"),
    "olmo3": _every(4),
    "cwm": _cwm,
    "exaone4": _exaone4,
    "smollm3": _smollm3,
    "lfm2": _lfm2,
    "gpt_neo": _gpt_neo,
}
