"""Which tensor belongs to which decoder layer, for any architecture's naming."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from solarmini.errors import CheckpointError

LAYER_COUNT_KEYS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_NUMBERED = re.compile(r"^(?P<prefix>.*?\.)(?P<index>\d+)(?P<suffix>\..+)$")


def text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a config.json that describes the decoder (`text_config` or itself)."""
    nested = config.get("text_config")
    return nested if isinstance(nested, Mapping) else config


def layer_count_key(config: Mapping[str, Any]) -> str:
    """Return the key under which the config states its number of layers; else CheckpointError."""
    text = text_config(config)
    for key in LAYER_COUNT_KEYS:
        if isinstance(text.get(key), int):
            return key
    raise CheckpointError(
        f"the config does not say how many layers the model has "
        f"(model_type {config.get('model_type')!r})",
        where="config.json",
        mend=f"one of these keys is needed: {', '.join(LAYER_COUNT_KEYS)}",
    )


def layer_count(config: Mapping[str, Any]) -> int:
    """Return the number of decoder layers that the config states."""
    return int(text_config(config)[layer_count_key(config)])


@dataclass(frozen=True, slots=True)
class LayerNames:
    """The naming of decoder layers: `{prefix}{index}{suffix}`, for example `model.layers.3.…`."""

    prefix: str
    count: int

    @classmethod
    def find(cls, names: Iterable[str], config: Mapping[str, Any]) -> "LayerNames":
        """Find the prefix whose numbers are exactly 0…n-1, n being the config's layer count.

        The first number of a name counts, so experts inside a layer do not confuse it. Raises
        CheckpointError when no prefix fits (layers missing) or several do.
        """
        count = layer_count(config)
        seen: dict[str, set[int]] = defaultdict(set)
        for name in names:
            match = _NUMBERED.match(name)
            if match:
                seen[match["prefix"]].add(int(match["index"]))
        fitting = [prefix for prefix, numbers in seen.items() if numbers == set(range(count))]
        # a vision tower may have as many layers as the decoder
        language = [prefix for prefix in fitting if "vision" not in prefix]
        if len(language) == 1:
            return cls(language[0], count)
        if language:
            raise CheckpointError(
                f"several groups of tensors could be the decoder's layers: {', '.join(language)}"
            )
        raise CheckpointError(_no_fit(seen, count), mend="fetch the model again")

    def split(self, name: str) -> tuple[int, str] | None:
        """Return (layer index, suffix) of a layer's tensor, None for any other tensor."""
        match = _NUMBERED.match(name)
        if match and match["prefix"] == self.prefix:
            return int(match["index"]), match["suffix"]
        return None

    def join(self, index: int, suffix: str) -> str:
        """Return the tensor name of `suffix` in layer `index`."""
        return f"{self.prefix}{index}{suffix}"


def _no_fit(seen: Mapping[str, set[int]], count: int) -> str:
    if not seen:
        return "no tensor name has a layer number"
    prefix = max(seen, key=lambda item: len(seen[item]))
    missing = sorted(set(range(count)) - seen[prefix])
    extra = sorted(seen[prefix] - set(range(count)))
    detail = f"missing {missing[:8]}" if missing else f"beyond the config: {extra[:8]}"
    return f"the config states {count} layers but the tensors '{prefix}N' do not match: {detail}"
