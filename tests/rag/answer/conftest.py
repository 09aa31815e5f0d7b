"""A small knowledge base about invented things, in English and Korean."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from solarmini.rag.knowledge import KnowledgeBase

BRIDGE = """# The bridge at Orlen

The bridge at Orlen was opened on 4 May 1931. It was designed by Marta Vell, an engineer from Tarn.

Its deck is 412 metres long. Ships over 30 metres high cannot pass under it.

## Traffic

| Year | Cars a day | Lorries a day |
|---|---|---|
| 1950 | 1,210 | 96 |
| 1990 | 18,400 | 2,070 |
| 2020 | 23,950 | 3,115 |
"""
TEA = """# Green tea

Green tea is brewed at 80 degrees for two minutes. Boiling water makes it bitter.
"""
LEAVE = """# 휴가 규정

직원은 1년에 20일의 유급휴가를 받는다. 휴가는 사용하기 7일 전에 신청하여야 한다.

# 출장 규정

출장비는 하루에 8만원을 넘을 수 없다. 영수증은 출장이 끝난 뒤 10일 안에 제출한다.
"""


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder: Path = tmp_path_factory.mktemp("docs")
    for name, text in (("bridge.md", BRIDGE), ("tea.md", TEA), ("leave.md", LEAVE)):
        (folder / name).write_text(text, encoding="utf-8")
    with KnowledgeBase.open(folder / "kb.db", embedder="none") as opened:
        opened.add(folder)
        yield opened
