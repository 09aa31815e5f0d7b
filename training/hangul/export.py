"""Write the trained weights into the package: `export.py --model REC --run FOLDER --to FOLDER`."""

import argparse
import shutil
from pathlib import Path

import torch
from network import OnnxNet
from texts import digest
from train import adopt


def export(model: Path, run: Path, target: Path) -> Path:
    """Write `korean_latin.onnx` and `characters.txt` from the last checkpoint of `run`."""
    listing = run / "characters.txt"
    alphabet = listing.read_text(encoding="utf-8").split("\n")[:-1]
    net = OnnxNet(model)
    adopt(net, alphabet)
    state = torch.load(run / "last.pt", weights_only=True)
    net.load_state_dict(state["averaged"])
    target.mkdir(parents=True, exist_ok=True)
    file = target / "korean_latin.onnx"
    new = target / "korean_latin.new"
    net.save(new, {"characters": digest(alphabet), "steps": str(state["step"])})
    new.replace(file)
    shutil.copyfile(listing, target / "characters.txt")
    print(file, file.stat().st_size / 1e6, "MB after", state["step"], "steps")
    return file


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    args = parser.parse_args()
    export(args.model, args.run, args.to)
