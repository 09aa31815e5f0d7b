"""Train with TRL on given rows and print what it took; runs in TRL's own environment.

usage: trl_side.py JOB.json
"""

import json
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")

import torch  # noqa: E402
import transformers  # noqa: E402
import trl  # ty: ignore[import-not-found]  # noqa: E402
from datasets import Dataset  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402
from transformers.utils import logging  # noqa: E402
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer  # ty: ignore  # noqa: E402

# "defaults" leaves precision, checkpointing and sampling as TRL sets them
VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "fp32": {"bf16": False, "gradient_checkpointing": False},
    "fp32 by length": {
        "bf16": False,
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
    },
    "fp32 one by one": {"bf16": False, "gradient_checkpointing": False, "one": True},
    "fp32 padding-free": {"bf16": False, "gradient_checkpointing": False, "padding_free": True},
    "bf16": {"gradient_checkpointing": False},
    "bf16 by length": {
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
    },
    "bf16 one by one": {"gradient_checkpointing": False, "one": True},
    "bf16 padding-free": {"gradient_checkpointing": False, "padding_free": True},
    "bf16 packed": {"gradient_checkpointing": False, "packing": True},
}


class TokenisedDPO(DPOTrainer):
    """DPOTrainer on rows that are token ids already."""

    def _prepare_dataset(self, dataset, *_args, **_kwargs):
        return dataset


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(job["threads"])
    logging.disable_progress_bar()
    rows = json.loads(Path(job["rows"]).read_text())
    variant = dict(VARIANTS[job["variant"]])
    size = job["batch_size"]
    if variant.pop("one", False):
        variant |= {"per_device_train_batch_size": 1, "gradient_accumulation_steps": size}
    else:
        variant |= {"per_device_train_batch_size": size}
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    with tempfile.TemporaryDirectory() as place:
        options = {
            "output_dir": place,
            "use_cpu": True,
            "report_to": "none",
            "save_strategy": "no",
            "logging_steps": 1,
            "disable_tqdm": True,
            "dataloader_pin_memory": False,
            "num_train_epochs": 1,
            "learning_rate": 1e-5,
            "max_length": 1024 if variant.get("packing") else None,  # rows are short enough
            "seed": 0,
            **({"beta": job["beta"]} if job["kind"] == "dpo" else {}),
            **variant,
        }
        began = time.process_time()
        trainer = (_dpo if job["kind"] == "dpo" else _sft)(model, tokenizer, rows, options)
        prepared = time.process_time() - began
        if job.get("check"):
            print(json.dumps({"first_loss": _first_loss(trainer.model, rows[:size], job["kind"])}))
            return
        began_wall, began = time.perf_counter(), time.process_time()
        trainer.train()
        wall, cpu = time.perf_counter() - began_wall, time.process_time() - began
        losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    print(
        json.dumps(
            {
                "wall_seconds": wall,
                "cpu_seconds": cpu,
                "reference_cpu_seconds": prepared,
                "last_loss": losses[-1],
                "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "versions": {
                    "trl": trl.__version__,
                    "transformers": transformers.__version__,
                    "torch": torch.__version__,
                },
            }
        )
    )


def _sft(model: Any, tokenizer: Any, rows: list[dict], options: dict) -> Any:
    data = [
        {
            "input_ids": row["ids"],
            "labels": [i if m else -100 for i, m in zip(row["ids"], row["mask"], strict=True)],
        }
        for row in rows
    ]
    return SFTTrainer(
        model=model,
        args=SFTConfig(**options),
        train_dataset=Dataset.from_list(data),
        processing_class=tokenizer,
    )


def _dpo(model: Any, tokenizer: Any, rows: list[dict], options: dict) -> Any:
    return TokenisedDPO(
        model=model,
        args=DPOConfig(precompute_ref_log_probs=True, **options),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )


@torch.no_grad()
def _first_loss(model: Any, rows: list[dict], kind: str) -> float:
    """Loss of the first rows in float32 by the model's own forward pass, text by text.

    Preferences: with references of zero, since with real ones it is ln 2 whatever the log-probs.
    """
    model.eval()
    total, count = 0.0, 0
    for row in rows:
        if kind == "dpo":
            sides = [
                _logprob(model, row["prompt_ids"] + row[f"{side}_ids"], len(row["prompt_ids"]))
                for side in ("chosen", "rejected")
            ]
            margin = torch.tensor(0.1 * (sides[0] - sides[1]))
            total += float(-torch.nn.functional.logsigmoid(margin))
            count += 1
        else:
            ids = torch.tensor([row["ids"]])
            labels = ids.masked_fill(~torch.tensor([row["mask"]]), -100)
            logits = model(ids).logits[0, :-1].float()
            total += float(
                torch.nn.functional.cross_entropy(logits, labels[0, 1:], reduction="sum")
            )
            count += sum(row["mask"])
    return total / count


def _logprob(model: Any, ids: list[int], prompt: int) -> float:
    row = torch.tensor([ids])
    logits = model(row).logits[0, prompt - 1 : -1].float()
    return -float(torch.nn.functional.cross_entropy(logits, row[0, prompt:], reduction="sum"))


if __name__ == "__main__":
    main()
