"""The new model's config.json: every per-layer fact of the base follows the layer map.

Works on the raw dictionary; the rules are those of transformers 5's configuration classes. What a
config states by a rule over layer positions (a pattern, an interval, a first-k) is written out as
an explicit list, because the rule would pick other layers in the grown model. What cannot be
written out is a PlanError that names the key.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from solarmini.checkpoint.layers import layer_count, layer_count_key, text_config
from solarmini.errors import PlanError
from solarmini.growth.architectures import decoder_type
from solarmini.growth.patterns import first_dense_layers, write_out
from solarmini.growth.plan import LayerPlan

_PER_LAYER = frozenset(
    {
        "layer_types",
        "mlp_layer_types",
        "no_rope_layers",
        "attention_layers",
    }
)
_INDEX_LISTS = frozenset({"mlp_only_layers", "moe_layers", "full_attn_idxs"})
_NOT_LAYERS = frozenset({"architectures", "eos_token_id", "bos_token_id", "pad_token_id"})
_LAYER_IN_TEXT = re.compile(r"\b(layers?|h|blocks?)\.\d+\b")


def grow_config(config: Mapping[str, Any], plan: LayerPlan) -> dict[str, Any]:
    """Return the config of the model that `plan` makes of a model with `config`.

    Raises PlanError for an architecture that cannot be grown and for every key whose meaning
    depends on the layer position in a way that the new config cannot state.
    """
    decoder_type(config)
    n = layer_count(config)
    if plan.base_layers != n:
        raise PlanError(
            f"the plan is for a base of {plan.base_layers} layers, this one has {n}",
            where="config.json",
        )
    _refuse_named_layers(config, "config.json")
    grown = copy.deepcopy(dict(config))
    text = text_config(grown)
    assert isinstance(text, dict)
    if not plan.is_base:
        write_out(decoder_type(config), text, n)
        _map_first_dense(decoder_type(config), text, plan)
        for key, value in list(text.items()):
            text[key] = _map_value(key, value, plan)
    count_key = layer_count_key(config)
    text[count_key] = len(plan)
    if text is not grown and grown.get(count_key) == n:
        grown[count_key] = len(plan)
    for local in ("_name_or_path", "auto_map"):  # of the base's folder; code is never carried
        grown.pop(local, None)
    return grown


def as_llama(config: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a Mistral config into the Llama config SOLAR 10.7B was published with.

    Without the sliding window the two classes compute the same; beyond the window they would not,
    so the number of positions is cut to the window (32768 to 4096). PlanError for anything else.
    """
    if config.get("model_type") != "mistral" or "text_config" in config:
        raise PlanError(
            f"--as-llama turns Mistral into Llama; this is '{config.get('model_type')}'",
            where="config.json: model_type",
            mend="leave --as-llama out",
        )
    llama = {**_MISTRAL_DEFAULTS, **copy.deepcopy(dict(config))}
    window = llama.pop("sliding_window")
    llama.pop("layer_types", None)
    if "layer_types" in config and len(set(config["layer_types"])) > 1:
        raise PlanError(
            "this Mistral mixes windowed and full attention, which Llama cannot",
            where="config.json: layer_types",
        )
    if window is not None:
        llama["max_position_embeddings"] = min(llama["max_position_embeddings"], window)
    llama["model_type"] = "llama"
    llama["architectures"] = [
        str(name).replace("Mistral", "Llama") for name in config.get("architectures") or []
    ] or ["LlamaForCausalLM"]
    return llama


# What MistralConfig assumes for keys a config leaves out, where LlamaConfig assumes otherwise.
_MISTRAL_DEFAULTS = {
    "intermediate_size": 14336,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131072,
    "sliding_window": 4096,
}


def _map_value(key: str, value: Any, plan: LayerPlan) -> Any:
    n = plan.base_layers
    if key == "per_layer_config" and value:
        raise PlanError(
            "a config with differently shaped layers cannot be grown",
            where="config.json: per_layer_config",
        )
    if key == "attention_types" and value:  # GPT-Neo: [[["global", "local"], repeats], …]
        flat = [kind for kinds, repeats in value for kind in list(kinds) * repeats]
        return [[_follow(key, flat, plan), 1]]
    if not isinstance(value, list) or key in _NOT_LAYERS:
        return value
    if key in _INDEX_LISTS:
        chosen = set(value)
        return [index for index, source in enumerate(plan.sources) if source in chosen]
    if key in _PER_LAYER:
        return _follow(key, value, plan) if value else value
    if len(value) == n:
        raise PlanError(
            f"'{key}' has one entry per layer, but what it means for a moved layer is not known",
            where=f"config.json: {key}",
        )
    return value


def _follow(key: str, values: Sequence[Any], plan: LayerPlan) -> list[Any]:
    if len(values) != plan.base_layers:
        raise PlanError(
            f"'{key}' has {len(values)} entries for {plan.base_layers} layers",
            where=f"config.json: {key}",
        )
    return [values[source] for source in plan.sources]


def _map_first_dense(model_type: str, text: dict[str, Any], plan: LayerPlan) -> None:
    """Restate `first_k_dense_replace` for the new layers, possible while dense ones stay below."""
    first = first_dense_layers(model_type, text)
    if first is None:
        return
    dense = [source < first for source in plan.sources]
    count = dense.index(False) if False in dense else len(dense)
    if any(dense[count:]):
        raise PlanError(
            f"the plan puts one of the {first} dense bottom layers above a mixture-of-experts "
            "layer, which this architecture cannot state",
            where="config.json: first_k_dense_replace",
            mend=f"repeat layers from {first} up only (dus: --drop {first} or more)",
        )
    text["first_k_dense_replace"] = count


def _refuse_named_layers(value: Any, where: str) -> None:
    """Refuse settings that name layers by number (quantisation exceptions, adapters)."""
    if isinstance(value, str):
        if _LAYER_IN_TEXT.search(value):
            raise PlanError(f"the config names a layer by number: '{value}'", where=where)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_named_layers(str(key), where)
            _refuse_named_layers(item, f"{where}: {key}")
    elif isinstance(value, list):
        for item in value:
            _refuse_named_layers(item, where)
