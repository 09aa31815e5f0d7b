"""Small real models and a way to run the command line, for all tests."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
ARCHITECTURES = (
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "gemma2",
    "gemma3",
    "phi3",
    "gpt_neox",
    "olmo2",
    "mixtral",
)
_TEXT = (
    "The quick brown fox jumps over the lazy dog. A model is grown, healed, taught and aligned. "
    "하나의 모델을 키우고 가르치고 정렬합니다. 한국어 문장도 함께 배웁니다. 0123456789 "
    "def add(a, b): return a + b\n"
)


@dataclass(frozen=True)
class Finished:
    """What a command line left behind."""

    code: int
    out: str
    err: str


def solar(*arguments: object) -> Finished:
    """Run `solar` in this process; return exit code and both outputs."""
    from solarmini import console
    from solarmini.cli import run

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        console.out.cache_clear()
        console.err.cache_clear()
        code = run([str(argument) for argument in arguments])
    console.out.cache_clear()
    console.err.cache_clear()
    return Finished(code, out.getvalue(), err.getvalue())


def tiny_tokenizer(folder: Path, vocab: int = 384) -> None:
    """Train a small byte-level BPE tokenizer with a ChatML template into `folder`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([_TEXT] * 4, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
    )
    fast.chat_template = CHATML
    fast.save_pretrained(folder)


def tiny_config(arch: str, layers: int, vocab: int, tie: bool | None) -> Any:
    """Return a transformers config of `arch`, 32 wide, that its causal model can be made of."""
    import transformers

    common: dict[str, Any] = {
        "vocab_size": vocab,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 2,
    }
    if tie is not None:
        common["tie_word_embeddings"] = tie
    windowed = {"sliding_window": 16}
    match arch:
        case "llama":
            return transformers.LlamaConfig(**common)
        case "mistral":
            return transformers.MistralConfig(**common, **windowed)
        case "qwen2":
            return transformers.Qwen2Config(
                **common, **windowed, use_sliding_window=True, max_window_layers=layers // 2
            )
        case "qwen3":
            return transformers.Qwen3Config(
                **common, **windowed, use_sliding_window=True, max_window_layers=1, head_dim=8
            )
        case "gemma2":
            return transformers.Gemma2Config(
                **common, **windowed, head_dim=8, query_pre_attn_scalar=8
            )
        case "gemma3":
            return transformers.Gemma3TextConfig(
                **common, **windowed, head_dim=8, query_pre_attn_scalar=8
            )
        case "phi3":
            return transformers.Phi3Config(**common)
        case "gpt_neox":
            del common["num_key_value_heads"]
            return transformers.GPTNeoXConfig(**common)
        case "olmo2":
            return transformers.Olmo2Config(**common)
        case "mixtral":
            return transformers.MixtralConfig(
                **common, num_local_experts=2, num_experts_per_tok=1, sliding_window=None
            )
    raise ValueError(arch)


def tiny_model(
    arch: str,
    folder: Path,
    *,
    layers: int = 4,
    seed: int = 0,
    tie: bool | None = None,
    vocab: int = 384,
    shard: str = "5GB",
    dtype: str = "float32",
) -> Path:
    """Save a seeded model of `arch` with a real tokenizer to `folder`; return the folder."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = tiny_config(arch, layers, vocab, tie)
    model = AutoModelForCausalLM.from_config(config).to(getattr(torch, dtype))
    with torch.no_grad():  # norms of one and zero biases would hide mistakes
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder, max_shard_size=shard)
    tiny_tokenizer(folder, vocab)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# tiny\n")
    return folder
