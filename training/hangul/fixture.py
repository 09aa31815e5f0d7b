"""Draw the small picture that the tests read: `fixture.py FONTS tests/layout/ocr/hangul_lines`.

Sentences of our own in held-out fonts, 150 dpi, so that no test needs a font to be installed.
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
from fonts import Face, faces
from make_lines import advances
from measure import plain_line
from PIL import Image

KOREAN = [
    "작은 모델을 키우고 가르치는 과정을 한 권에 담았다.",
    "표 3은 2026년 11월 23일에 잰 값이며 오차는 ±0.5% 이하이다.",
    "「문서 읽기」 제12조(목적) 글자와 표를 빠짐없이 옮긴다.",
    "서울특별시 종로구 전화 02-123-4567 (평일 09:00~18:00)",
    "맑은 하늘 아래 흰 꽃잎이 얇게 흩날렸다.",
    "Python 3.11과 ONNX로 돌아가는 한글·영문 인식기",
    "① 신청서 ② 동의서 ※ 사본은 받지 않습니다",
    "긁힌 유리창 너머로 뻗은 닭장, 삶은 달걀과 찹쌀떡",
]
ENGLISH = [
    "The recogniser reads English lines as well as Korean ones.",
    "Total: $1,234.50 (about 12% more than in 2025)",
    'A line may hold "quotes", dashes - and symbols: a/b, x_1, #7.',
    "Visit https://example.org/docs?id=42 for the whole table.",
]


def strip(face: Face, text: str, rng: random.Random) -> tuple[np.ndarray, list[float]]:
    """A crop and the middles of its characters, in fractions of its width."""
    crop = plain_line(face, text, 150, 11, rng)
    widths = np.asarray(advances(face, 300, text))
    ink = np.flatnonzero((crop[:, :, 0] < 128).any(0))
    middles = (np.cumsum(widths) - widths / 2) / widths.sum()
    left, right = ink[0], ink[-1] + 1
    return crop, [round(float((left + m * (right - left)) / crop.shape[1]), 3) for m in middles]


def main(fonts: Path, target: Path) -> None:
    """Write lines.png, one line under another, and lines.json with places and texts."""
    held = [
        f for f in faces(fonts) if f.held_out and "Regular" in f.path and "Italic" not in f.path
    ]
    korean = [f for f in held if f.korean]
    latin = [f for f in held if not f.korean]
    rng = random.Random(5)
    rows, top, crops = [], 0, []
    for i, text in enumerate(KOREAN + ENGLISH):
        able = [f for f in (korean if i < len(KOREAN) else latin) if f.draws(text)]
        face = able[i % len(able)]
        crop, middles = strip(face, text, rng)
        rows.append({
            "text": text, "font": face.family, "middles": middles,
            "box": [0, top, crop.shape[1], top + crop.shape[0]],
        })  # fmt: skip
        crops.append(crop)
        top += crop.shape[0]
    page = Image.new("L", (max(c.shape[1] for c in crops), top), 255)
    for row, crop in zip(rows, crops, strict=True):
        page.paste(Image.fromarray(crop[:, :, 0]), tuple(row["box"][:2]))
    target.mkdir(parents=True, exist_ok=True)
    page.save(target / "lines.png", optimize=True)
    (target / "lines.json").write_text(
        json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    print((target / "lines.png").stat().st_size, "bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
