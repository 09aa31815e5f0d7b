"""Rows that both sides train on: tokenised once, so that both see the same ids.

The texts are the shared instruction and preference sets where they are (SOLAR_SHARED), else the
demo's own; every n-th row of several files, so that lengths differ as they do in practice.
"""

import itertools
import json
import os
from pathlib import Path
from typing import Any

from solarmini.data.builders import chat_examples, preference_examples
from solarmini.data.sources import DataSource
from solarmini.text.chat import ChatFormat

ROOT = Path(__file__).parents[2]
SFT = ("en_dolly_hhrlhf", "en_alpaca_demo", "en_gpteacher_roleplay", "en_gpteacher_codegen")
SFT += ("en_self_instruct_human", "ko_chatbot")
DPO = ("en_dpo_demo", "en_hh_harmless", "en_vicuna_gpt4_judged")
SEQ_LEN = 1024


def find_files(kind: str) -> list[Path]:
    """Return the files of a kind, "sft" or "dpo"."""
    shared = Path(os.environ.get("SOLAR_SHARED", ROOT.parent / "shared")) / "data" / kind / "dev"
    names = SFT if kind == "sft" else DPO
    found = [path for name in names for path in sorted(shared.glob(f"{name}.jsonl*"))]
    if found:
        return found
    name = "instruct.train" if kind == "sft" else "preference.hard"
    return [ROOT / "recipes" / "smollm2-demo" / f"{name}.jsonl"]


def make_rows(model: Path, kind: str, count: int) -> list[dict[str, Any]]:
    """Tokenise `count` rows with the model's own template; rows alternate between the files."""
    chat_format = ChatFormat.load(model)
    share = -(-count // len(find_files(kind)))
    columns: list[list[dict[str, Any]]] = []
    for path in find_files(kind):
        source = [DataSource(path=str(path), limit=share * 2)]
        if kind == "sft":
            stream = chat_examples(source, chat_format, SEQ_LEN, "drop")
            rows = [{"ids": e.ids.tolist(), "mask": e.mask.tolist()} for e in stream]
        else:
            pairs = preference_examples(source, chat_format, SEQ_LEN, "drop")
            rows = [_pair(chosen, rejected) for chosen, rejected in pairs]
        columns.append(rows[:share])
    mixed = [row for group in itertools.zip_longest(*columns) for row in group if row is not None]
    return mixed[:count]


def _pair(chosen: Any, rejected: Any) -> dict[str, Any]:
    prompt = int(chosen.mask.argmax())
    return {
        "prompt_ids": chosen.ids[:prompt].tolist(),
        "chosen_ids": chosen.ids[prompt:].tolist(),
        "rejected_ids": rejected.ids[prompt:].tolist(),
    }


def count_tokens(rows: list[dict[str, Any]]) -> int:
    """Tokens that the data holds: both texts of a pair in full, no padding."""
    if "ids" in rows[0]:
        return sum(len(row["ids"]) for row in rows)
    return sum(
        2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])
        for row in rows
    )


def write_json(path: Path, value: Any) -> Path:
    """Write JSON; return the path."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
