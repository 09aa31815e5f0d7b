"""The family tree: which model was made of which, drawn from left to right or downwards."""

from dataclasses import dataclass

from solarmini.evaluate.report import svg
from solarmini.evaluate.report.facts import shown, size, text_task
from solarmini.evaluate.report.run import Run, Stage

_VERBS = {
    "pull": "base model",
    "base": "base model",
    "upscale": "grown in depth",
    "pretrain": "pretrained on",
    "instruct": "instruction-tuned",
    "align": "aligned",
    "merge": "merged",
}


@dataclass(frozen=True)
class Box:
    """A node with its place."""

    stage: Stage
    x: float
    y: float
    width: float
    height: float


def verb(stage: Stage) -> str:
    """Say in a word what a stage does."""
    return _VERBS.get(stage.kind, stage.kind)


def depths(run: Run) -> dict[str, int]:
    """Return how many steps each stage stands from the base, along the longest way."""
    found: dict[str, int] = {}
    for stage in run.stages:
        parents = [found[name] for name in stage.build.parents]
        found[stage.name] = max(parents) + 1 if parents else 0
    return found


def _lanes(run: Run) -> dict[str, int]:
    """Return the lane of each stage: the main line, naive ones above, controls below.

    Lanes count from the top; no two stages share a place.
    """
    depth = depths(run)
    taken: set[tuple[int, int]] = set()
    lanes: dict[str, int] = {}
    for stage in sorted(run.stages, key=lambda stage: stage.role != "main"):
        step = -1 if stage.role == "naive" else 1
        lane = 0 if stage.role == "main" else step
        while (depth[stage.name], lane) in taken:
            lane += step
        taken.add((depth[stage.name], lane))
        lanes[stage.name] = lane
    top = min(lanes.values())
    return {name: lane - top for name, lane in lanes.items()}


def draw_wide(run: Run, width: float = 1120) -> str:
    """Draw the tree from left to right."""
    depth, lanes = depths(run), _lanes(run)
    columns, rows = max(depth.values()) + 1, max(lanes.values()) + 1
    gap = 30.0
    box = min(190.0, (width - gap * (columns - 1)) / columns)
    box = max(box, 118.0)
    height, lead = 84.0, 44.0
    top = 34.0 if _skips(run, depth, lanes) and not lanes[run.main[0].name] else 4.0
    boxes = {
        s.name: Box(
            s, depth[s.name] * (box + gap), top + lanes[s.name] * (height + lead), box, height
        )
        for s in run.stages
    }
    total = columns * box + (columns - 1) * gap
    edges = [
        _edge_wide(boxes[parent.name], boxes[stage.name], stage.role)
        for stage in run.stages
        for parent in run.parents(stage)
    ]
    nodes = [_node(run, place) for place in boxes.values()]
    label = "Family tree of the models of this run"
    return svg.figure(
        total + 2, top + rows * height + (rows - 1) * lead + 4, label, *edges, *nodes, class_="wide"
    )


def _skips(run: Run, depth: dict[str, int], lanes: dict[str, int]) -> bool:
    return any(
        depth[stage.name] - depth[parent.name] > 1 and lanes[stage.name] == lanes[parent.name]
        for stage in run.stages
        for parent in run.parents(stage)
    )


def _edge_wide(parent: Box, child: Box, role: str) -> str:
    x1, y1 = parent.x + parent.width, parent.y + parent.height / 2
    x2, y2 = child.x, child.y + child.height / 2
    apart = x2 - x1
    if parent.y == child.y and apart > parent.width / 2:  # over the heads of those between
        x1, x2, y = parent.x + parent.width * 0.75, child.x + child.width * 0.25, parent.y
        path = f"M{svg.num(x1)} {svg.num(y)} C{svg.num(x1 + 20)} {svg.num(y - 34)} "
        path += f"{svg.num(x2 - 20)} {svg.num(y - 34)} {svg.num(x2)} {svg.num(y)}"
    else:
        bend = min(apart / 2, 30.0)
        path = f"M{svg.num(x1)} {svg.num(y1)} C{svg.num(x1 + bend)} {svg.num(y1)} "
        path += f"{svg.num(x2 - bend)} {svg.num(y2)} {svg.num(x2)} {svg.num(y2)}"
    return svg.element("path", d=path, class_=f"edge {_role(role)}")


def draw_narrow(run: Run, width: float = 350) -> str:
    """Draw the tree downwards, for a narrow screen."""
    depth, lanes = depths(run), _lanes(run)
    levels = max(depth.values()) + 1
    height, lead, indent = 74.0, 20.0, 26.0
    order = sorted(run.stages, key=lambda s: (depth[s.name], s.role == "main", lanes[s.name]))
    boxes: dict[str, Box] = {}
    y = 2.0
    for stage in order:
        x = indent * (1 if stage.role == "main" else 2)
        boxes[stage.name] = Box(stage, x, y, width - x - 2, height)
        y += height + lead
    edges = []
    for stage in run.stages:
        for parent in run.parents(stage):
            a, b = boxes[parent.name], boxes[stage.name]
            straight = order.index(stage) == order.index(parent) + 1 and a.x == b.x
            if straight:
                path = f"M{svg.num(a.x + 20)} {svg.num(a.y + height)} V{svg.num(b.y)}"
            else:
                side = min(a.x, b.x) - 12 - (8 if stage.kind == "merge" else 0)
                path = f"M{svg.num(a.x)} {svg.num(a.y + height * 0.6)} H{svg.num(side)} "
                path += f"V{svg.num(b.y + height * 0.4)} H{svg.num(b.x)}"
            edges.append(svg.element("path", d=path, class_=f"edge {_role(stage.role)}"))
    nodes = [_node(run, place) for place in boxes.values()]
    label = f"Family tree of the models of this run, {levels} steps"
    return svg.figure(width, y - lead + 4, label, *edges, *nodes, class_="narrow")


def _role(role: str) -> str:
    return role if role in ("main", "control", "naive") else "control"


def _node(run: Run, box: Box) -> str:
    stage = box.stage
    inner = box.width - 24
    facts = []
    if stage.layers:
        facts.append(f"{stage.layers} layers")
    if stage.parameters:
        facts.append(size(stage.parameters))
    task = text_task(run)
    record = stage.record(task, "perplexity") if task else None
    score = f"ppl {shown(record)}" if record else ""
    role = "" if stage.role == "main" else f" · {stage.role}"
    lines = [
        svg.text(
            box.x + 12, box.y + 20, svg.clip(verb(stage) + role, inner, 11), class_="node-kind"
        ),
        svg.text(box.x + 12, box.y + 39, svg.clip(stage.name, inner, 14.5), class_="node-name"),
        svg.text(
            box.x + 12, box.y + 57, svg.clip(" · ".join(facts), inner, 11.5), class_="node-fact"
        ),
    ]
    if box.height > 80:
        lines.append(svg.text(box.x + 12, box.y + 74, score, class_="node-score"))
    elif score:
        x = box.x + box.width - 12
        lines.append(svg.text(x, box.y + 39, score, class_="node-score", text_anchor="end"))
    rect = svg.element(
        "rect", x=box.x + 0.75, y=box.y + 0.75, width=box.width - 1.5, height=box.height - 1.5,
        rx=10,
    )  # fmt: skip
    hover = svg.title(f"{stage.name}: {verb(stage)}")
    return svg.element("g", hover, rect, *lines, class_=f"node {_role(stage.role)}")
