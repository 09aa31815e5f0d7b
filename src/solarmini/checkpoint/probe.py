"""The last check of a new model: transformers loads it, and it speaks."""

from pathlib import Path

from solarmini.errors import CheckpointError, require

_NEW_TOKENS = 8


def probe_generates(folder: Path, prompt: str = "The") -> str:
    """Load the model in `folder`, generate 8 tokens greedily, return their text.

    Raises CheckpointError when transformers misses, adds or reshapes a weight, when it cannot be
    loaded, or when a logit is not finite.
    """
    torch = require("torch", "train")
    transformers = require("transformers", "train")
    transformers.utils.logging.disable_progress_bar()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, report = transformers.AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, dtype="auto"
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"transformers cannot load the model: {error}", where=folder
        ) from error
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        if report.get(problem):
            named = sorted(map(str, report[problem]))[:4]
            raise CheckpointError(
                f"the weights do not fit the config: {problem} {', '.join(named)}",
                where=folder,
            )
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    if not ids.numel():
        raise CheckpointError(f"the tokenizer makes no tokens of {prompt!r}", where=folder)
    with torch.inference_mode():
        for _ in range(_NEW_TOKENS):
            logits = model.eval()(ids).logits[0, -1]
            if not bool(torch.isfinite(logits).all()):
                raise CheckpointError("the model's logits are not finite", where=folder)
            ids = torch.cat([ids, logits.argmax().view(1, 1)], dim=1)
    return str(tokenizer.decode(ids[0, -_NEW_TOKENS:]))
