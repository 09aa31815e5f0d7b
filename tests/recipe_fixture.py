"""A whole recipe on a model of a few thousand weights."""

import json
from pathlib import Path

from helpers import tiny_model

RECIPE = """
name = "tiny"
prompts = ["Hi", "안녕"]
answer_tokens = 4
[evaluate]
text = ["docs={here}/text.jsonl@4"]
chat = ["answers={here}/chat.jsonl@4"]
preference = ["pairs={here}/pairs.jsonl@4"]
[[stage]]
name = "base"
kind = "pull"
samples = true
settings.model = "{here}/model"
[[stage]]
name = "grown"
kind = "upscale"
from = ["base"]
settings.drop = 1
[[stage]]
name = "healed"
kind = "pretrain"
from = ["grown"]
[stage.settings]
data = ["{here}/text.jsonl"]
seq_len = 64
batch_size = 2
max_steps = 8
lr = 1e-3
save_steps = 1
[[stage]]
name = "instructed"
kind = "instruct"
from = ["healed"]
[stage.settings]
data = ["{here}/chat.jsonl"]
seq_len = 128
batch_size = 2
max_steps = 4
lr = 1e-3
save_steps = 1
[[stage]]
name = "aligned"
kind = "align"
from = ["instructed"]
[stage.settings]
steps = [["{here}/pairs.jsonl@4"], ["{here}/pairs.jsonl"]]
seq_len = 128
batch_size = 2
max_steps = 2
lr = 1e-4
save_steps = 1
[[stage]]
name = "merged"
kind = "merge"
from = ["instructed", "aligned"]
samples = true
settings.t = [0.5]
"""


def make_recipe(folder: Path) -> Path:
    """Write model, data and recipe into `folder`; return the recipe's file."""
    tiny_model("llama", folder / "model")
    text = [
        {"text": f"Row {i}: a model is grown and healed, 한국어 {i * 7}. " * 6} for i in range(20)
    ]
    chat = [
        {
            "messages": [
                {"role": "user", "content": f"What is {i}?"},
                {"role": "assistant", "content": f"It is {i} 입니다."},
            ]
        }
        for i in range(12)
    ]
    pairs = [{"prompt": f"Say {i}", "chosen": f"{i} please", "rejected": "no"} for i in range(8)]
    for name, rows in (("text", text), ("chat", chat), ("pairs", pairs)):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    path = folder / "tiny.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path
