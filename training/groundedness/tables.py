"""Statements about cells of drawn tables: the value of the row named, and of another row."""

import random
from collections.abc import Iterator

from sources import Row

_MADE = "so lar ven tor mi ka den pho rix al bo qui ner tas"
_COLUMNS = (
    "H6|ARC|score|price|length|weight|accuracy|area|population|yield|speed|cost|rank|depth",
    "점수|가격|길이|무게|정확도|면적|인구|수율|속도|비용|순위|깊이|매출|온도",
)
_SAID = (
    ("The {column} of {row} is {value}.", "{row} has a {column} of {value}.",
     "{row} reached {value} in {column}.", "{row}: {column} {value}"),
    ("{row}의 {column}는 {value}이다.", "{row}의 {column}: {value}",
     "{column}에서 {row}는 {value}을 기록했다.", "{row}는 {column}가 {value}입니다."),
)  # fmt: skip


def drawn(count: int, seed: int) -> Iterator[Row]:
    """Yield true and false statements about `count` tables, half of them Korean."""
    draw = random.Random(seed)
    for number in range(count):
        korean = number % 2
        columns = draw.sample(_COLUMNS[korean].split("|"), draw.randint(1, 5))
        names = sorted({_name(draw) for _ in range(draw.randint(2, 9))})
        digits = draw.choice((0, 1, 2))
        cells = [[_value(draw, digits) for _ in columns] for _ in names]
        context = _written(columns, names, cells, draw)
        at, column = draw.randrange(len(names)), draw.randrange(len(columns))
        said = draw.choice(_SAID[korean])
        right = cells[at][column]
        others = [row[column] for row in cells if row[column] not in cells[at]]
        source, group = ("table-en", "table-ko")[korean], f"table {number}"
        filled = {"column": columns[column], "row": names[at]}
        yield Row(context, said.format(value=right, **filled), "grounded", source, group)
        if others:
            wrong = draw.choice(others)
            yield Row(context, said.format(value=wrong, **filled), "notGrounded", source, group)


def _name(draw: random.Random) -> str:
    word = "".join(draw.choices(_MADE.split(), k=draw.choice((2, 3)))).capitalize()
    size = draw.choice(
        ("", f" {draw.randint(1, 90)}B", f" {draw.randint(1, 9)}.{draw.randint(0, 9)}")
    )
    return word + size + draw.choice(("", "", "-Instruct", " Base"))


def _value(draw: random.Random, digits: int) -> str:
    return f"{draw.uniform(10, 99):.{digits}f}" if digits else f"{draw.randint(3, 9000):,}"


def _written(
    columns: list[str], names: list[str], cells: list[list[str]], draw: random.Random
) -> str:
    """Write a table as Markdown, row by row with its titles, or with bars left out."""
    kind = draw.randrange(3)
    if kind == 1:
        lines = [
            f"{name}: " + ", ".join(f"{c} {v}" for c, v in zip(columns, row, strict=True))
            for name, row in zip(names, cells, strict=True)
        ]
        return "\n".join(lines)
    bar = (" | ", "", " ")[kind]
    rows = [["Model", *columns], *([n, *r] for n, r in zip(names, cells, strict=True))]
    edge = "| {} |" if kind == 0 else "{}"
    return "\n".join(edge.format(bar.join(row)) for row in rows)
