"""What growth has to know of an architecture: the gates of its layers.

A gate is the last linear factor before a layer's branch is added to the residual stream: the
output projection of attention and MLP, or the norm behind it where the architecture has one (a
zero projection under a norm would leave a gradient of 1/sqrt(eps) there; scaling a projection
under a norm would change nothing). Gates at zero make the layer an identity; gates times a factor
attenuate what it adds. Checked for every entry against transformers 5.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from solarmini.checkpoint.layers import text_config
from solarmini.errors import PlanError

# "linear": the factor is the weight itself. "one_plus": the norm multiplies by (1 + weight).
GateKind = Literal["linear", "one_plus"]

_EXPERTS = (
    r"mlp\.experts\.\d+\.down_proj",
    r"mlp\.experts\.down_proj(_bias)?",
    r"mlp\.shared_experts?\.down_proj",
)
_LLAMA = (r"self_attn\.o_proj", r"mlp\.down_proj")
_MIXTRAL = (r"self_attn\.o_proj", r"block_sparse_moe\.experts\.\d+\.w2", _EXPERTS[1])
_POST_NORM = (r"post_attention_layernorm", r"post_feedforward_layernorm")

_LINEAR: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *("llama", "mistral", "ministral", "ministral3", "qwen2", "qwen3", "gemma", "phi3"),
            *("granite", "olmo", "cohere", "cohere2", "stablelm", "nemotron", "glm", "smollm3"),
            *("helium", "arcee", "apertus", "seed_oss", "ernie4_5", "hunyuan_v1_dense", "bitnet"),
            *("cwm", "jais2", "vaultgemma"),
        ),
        _LLAMA,
    ),
    **dict.fromkeys(
        (
            *("qwen2_moe", "qwen3_moe", "olmoe", "deepseek_v2", "deepseek_v3", "glm4_moe"),
            *("dots1", "gpt_oss", "solar_open"),
        ),
        (*_LLAMA, *_EXPERTS),
    ),
    **dict.fromkeys(("mixtral", "minimax_m2", "phimoe"), _MIXTRAL),
    **dict.fromkeys(("olmo2", "olmo3", "exaone4"), _POST_NORM),
    "glm4": (r"post_self_attn_layernorm", r"post_mlp_layernorm"),
    "starcoder2": (r"self_attn\.o_proj", r"mlp\.c_proj"),
    "phi": (r"self_attn\.dense", r"mlp\.fc2"),
    "nanochat": (r"self_attn\.o_proj", r"mlp\.fc2"),
    "persimmon": (r"self_attn\.dense", r"mlp\.dense_4h_to_h"),
    "gpt_neox": (r"attention\.dense", r"mlp\.dense_4h_to_h"),
    "falcon": (r"self_attention\.dense", r"mlp\.dense_4h_to_h"),
    "bloom": (r"self_attention\.dense", r"mlp\.dense_4h_to_h"),
    "gpt2": (r"attn\.c_proj", r"mlp\.c_proj"),
    "gpt_bigcode": (r"attn\.c_proj", r"mlp\.c_proj"),
    "gpt_neo": (r"attn\.attention\.out_proj", r"mlp\.c_proj"),
    "gptj": (r"attn\.out_proj", r"mlp\.fc_out"),
    "codegen": (r"attn\.out_proj", r"mlp\.fc_out"),
    "opt": (r"self_attn\.out_proj", r"fc2"),
    "mpt": (r"attn\.out_proj", r"ffn\.down_proj"),
    "granitemoe": (r"self_attn\.o_proj", r"block_sparse_moe\.output_linear"),
    "granitemoeshared": (
        r"self_attn\.o_proj",
        r"block_sparse_moe\.output_linear",
        r"shared_mlp\.output_linear",
    ),
    "lfm2": (r"self_attn\.out_proj", r"conv\.out_proj", r"feed_forward\.w2"),
    "qwen3_next": (r"linear_attn\.out_proj", *_LLAMA, *_EXPERTS),
    "qwen3_5_text": (r"linear_attn\.out_proj", *_LLAMA),
}
_ONE_PLUS: dict[str, tuple[str, ...]] = {
    "gemma2": _POST_NORM,
    "gemma3_text": _POST_NORM,
}

# Architectures transformers has whose layers compute something from their own position, or that
# share state across layers: a layer cannot stand elsewhere than it was trained.
REFUSED: dict[str, str] = {
    "diffllama": "its attention weighs by 0.8 - 0.6 exp(-0.3 x layer index)",
    "minimax": "its linear attention decays by layer index / number of layers",
    "minimax_text_01": "its linear attention decays by layer index / number of layers",
    "gemma3n": "its embedding tensor has a part for every layer, and upper layers share keys",
    "gemma3n_text": "its embedding tensor has a part for every layer, and upper layers share keys",
    "gemma4": "its upper layers share keys and values of lower ones",
    "gemma4_text": "its upper layers share keys and values of lower ones",
    "zamba": "its layers share one transformer block",
    "zamba2": "its layers share one transformer block",
}
# The multi-modal wrappers whose decoder is one of the above.
_DEFAULT_TEXT = {"gemma3": "gemma3_text", "qwen3_5": "qwen3_5_text"}
_ENCODER_DECODER = {
    *("t5", "mt5", "umt5", "t5gemma", "t5gemma2", "bart", "mbart", "pegasus", "marian", "whisper"),
    *("blenderbot", "blenderbot-small", "m2m_100", "prophetnet", "led", "switch_transformers"),
    *("longt5", "plbart", "mvp", "bigbird_pegasus", "seamless_m4t", "encoder-decoder", "nllb-moe"),
}


def known_architectures() -> tuple[str, ...]:
    """Return the model types that can be grown."""
    return tuple(sorted({*_LINEAR, *_ONE_PLUS}))


def decoder_type(config: Mapping[str, Any]) -> str:
    """Return the model type of the decoder; PlanError where it cannot be grown, with the reason."""
    outer = str(config.get("model_type"))
    text = text_config(config)
    model_type = str(text.get("model_type", _DEFAULT_TEXT.get(outer, outer)))
    if config.get("is_encoder_decoder") or outer in _ENCODER_DECODER:
        raise PlanError(
            f"'{outer}' is an encoder-decoder model; growth needs a decoder-only one",
            where="config.json: is_encoder_decoder",
        )
    for name in (outer, model_type):
        if name in REFUSED:
            raise PlanError(
                f"'{name}' cannot be grown: {REFUSED[name]}", where="config.json: model_type"
            )
    if model_type not in _LINEAR and model_type not in _ONE_PLUS:
        raise PlanError(
            f"the architecture '{model_type}' is not known to compute the same at another depth",
            where="config.json: model_type",
            mend=f"known: {', '.join(known_architectures())}",
        )
    return model_type


class Gates:
    """The gates of one model: which tensors of a layer scale what it adds, and how."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Look the model's architecture up; PlanError where a branch has no gate."""
        self.model_type = decoder_type(config)
        self._check(config)
        one_plus = self.model_type in _ONE_PLUS
        self.kind: GateKind = "one_plus" if one_plus else "linear"
        parts = _ONE_PLUS.get(self.model_type) or _LINEAR[self.model_type]
        self._pattern = re.compile(rf"^\.({'|'.join(parts)})(\.weight|\.bias)?$")

    def match(self, suffix: str) -> bool:
        """Whether the tensor with this suffix (\".self_attn.o_proj.weight\") is a gate."""
        return self._pattern.match(suffix) is not None

    def _check(self, config: Mapping[str, Any]) -> None:
        text = text_config(config)
        quantised = "quantization_config" in config or "quantization_config" in text
        reasons = {
            "the weights are quantised": quantised,
            "OPT with norms behind the residual sum changes the stream even when a layer adds "
            "nothing": self.model_type == "opt" and not text.get("do_layer_norm_before", True),
            "BLOOM with the residual taken behind the norm changes the stream even when a layer "
            "adds nothing": self.model_type == "bloom"
            and bool(text.get("apply_residual_connection_post_layernorm")),
        }
        for reason, applies in reasons.items():
            if applies:
                raise PlanError(
                    f"layers cannot start as identity or be attenuated: {reason}",
                    where="config.json",
                    mend="use a method that only copies: dus, interpose or stack",
                )
