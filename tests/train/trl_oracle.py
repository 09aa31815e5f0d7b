"""Loss and gradients by TRL on given batches; run in TRL's environment.

usage: trl_oracle.py MODEL CASES.json OUT.safetensors
"""

import json
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")

import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer  # noqa: E402

COMMON = {
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "report_to": "none",
    "dataloader_pin_memory": False,
    "disable_tqdm": True,
}


def load(folder: str):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def result(name: str, loss: torch.Tensor, model: torch.nn.Module) -> dict[str, torch.Tensor]:
    loss.backward()
    found = {f"{name}/{key}": p.grad for key, p in model.named_parameters() if p.grad is not None}
    return {f"{name}/loss": loss.detach()} | found


def sft(folder: str, rows: list[dict]) -> dict[str, torch.Tensor]:
    model, tokenizer = load(folder), AutoTokenizer.from_pretrained(folder)
    data = [
        {
            "input_ids": row["ids"],
            "labels": [i if m else -100 for i, m in zip(row["ids"], row["mask"], strict=True)],
        }
        for row in rows
    ]
    with tempfile.TemporaryDirectory() as place:
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(output_dir=place, **COMMON),
            train_dataset=Dataset.from_list(data),
            processing_class=tokenizer,
        )
        batch = trainer.data_collator(data)
        return result("sft", trainer.compute_loss(trainer.model, batch), trainer.model)


def dpo(folder: str, pairs: list[dict], beta: float) -> dict[str, torch.Tensor]:
    model, tokenizer = load(folder), AutoTokenizer.from_pretrained(folder)
    texts = [{"prompt": "a", "chosen": "b", "rejected": "c"}] * 2  # never used: batches are ours
    with tempfile.TemporaryDirectory() as place:
        trainer = DPOTrainer(
            model=model,
            args=DPOConfig(output_dir=place, beta=beta, precompute_ref_log_probs=True, **COMMON),
            train_dataset=Dataset.from_list(texts),
            processing_class=tokenizer,
        )
        batch = trainer.data_collator(pairs)
        return result("dpo", trainer.compute_loss(trainer.model, batch), trainer.model)


if __name__ == "__main__":
    model_folder, cases_path, out = sys.argv[1:]
    with open(cases_path) as file:
        cases = json.load(file)
    tensors = sft(model_folder, cases["sft"]) | dpo(model_folder, cases["dpo"], cases["beta"])
    save_file({k: v.contiguous() for k, v in tensors.items()}, out)
