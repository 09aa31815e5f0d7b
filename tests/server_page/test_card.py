"""The model card: what the model folder records, drawn."""

import json
from pathlib import Path

import pytest
from page_parts import Open
from serving import Running

from solarmini.artifact import read_manifest
from solarmini.evaluate.records import read_records
from solarmini.server.model_card import card_of


def test_card_says_what_is_recorded(api: Running, family: Path) -> None:
    card = api.get("/v1/model-card").json
    manifest = read_manifest(family / "healed")
    assert manifest is not None
    assert card["name"] == "healed"
    assert card["stage"] == "pretrain"
    assert card["layers"] == 6  # four, grown with one dropped on each side
    assert card["growth"]["sources"] == [0, 1, 2, 1, 2, 3]
    assert card["fingerprint"] == manifest.fingerprint
    line, node = [], card["lineage"]
    while node:
        line.append((node["name"], node["layers"]))
        node = next(iter(node["parents"]), None)
    assert line == [("healed", 6), ("grown", 6), ("seed", 4)]
    log = (family / "healed" / "training_log.jsonl").read_text().splitlines()
    rows = [json.loads(row) for row in log]
    (curve,) = card["curves"]
    assert curve["train"] == [[row["tokens"], row["loss"]] for row in rows if "loss" in row]
    assert curve["heldout"][0] == [0, rows[0]["eval_loss"]]
    for name in ("base", "grown", "healed"):
        record = read_records(family / "records" / f"{name}.json").get("docs", "perplexity")
        assert record is not None
        found = [s for s in card["scores"] if s["model"] == name and s["metric"] == "perplexity"]
        assert [score["value"] for score in found] == [record.value]
    assert str(family) not in json.dumps(card)  # where files lie is nobody's business


def test_card_of_what_has_no_records(tmp_path: Path, family: Path) -> None:
    assert card_of("http://127.0.0.1:1/v1", "far")["source"] == "remote"
    assert card_of(str(tmp_path / "gone"), "gone")["lineage"] is None
    (tmp_path / "bare").mkdir()
    for file in (family / "healed").iterdir():
        if file.name != "solar.json":
            (tmp_path / "bare" / file.name).symlink_to(file)
    bare = card_of(str(tmp_path / "bare"), "bare")
    assert bare["layers"] == 6
    assert bare["lineage"] is None


def test_gguf_finds_its_source_beside_it(tmp_path: Path, family: Path) -> None:
    from solarmini.export.gguf import plan_gguf, write_gguf
    from solarmini.export.quant import QUANTS

    path = tmp_path / "healed.gguf"
    write_gguf(plan_gguf(family / "healed", QUANTS["f32"]), path)
    alone = card_of(str(path), "healed")
    assert alone["layers"] == 6
    assert alone["lineage"] is None
    assert alone["parameters"] > 0
    (tmp_path / "healed").symlink_to(family / "healed")
    card = card_of(str(path), "healed")
    assert card["lineage"]["parents"][0]["name"] == "grown"
    assert card["bytes"] == path.stat().st_size


def test_card_is_drawn(open_page: Open) -> None:
    page = open_page(path="/#model")
    page.wait_for_selector(".card")
    assert page.locator(".card-head h2").inner_text() == "healed"
    assert page.locator(".kin-name").all_inner_texts() == ["seed", "grown", "healed"]
    assert page.locator(".kin-lines path").count() == 2
    assert page.locator(".kin.self .kin-name").inner_text() == "healed"
    assert page.locator("svg.growth .second").count() == 6  # three layers and their threads
    assert "held out" in (page.locator(".plot").get_attribute("aria-label") or "")
    page.locator("summary").click()
    assert page.locator(".curve-panel tbody tr").count() == 9  # the start and eight steps
    rows = page.locator(".scores tbody tr")
    assert rows.count() == 3
    best = page.locator(".scores b")
    assert best.count() == 1
    page.click("#language")
    page.get_by_role("heading", name="모델의 계보").wait_for()


@pytest.mark.parametrize(
    ("low", "high", "count", "wanted"),
    [
        (0, 10, 5, [0, 2, 4, 6, 8, 10]),
        (2.31, 2.97, 4, [2.4, 2.6, 2.8]),
        (0, 12785, 5, [0, 5000, 10000]),
    ],
)
def test_ticks_are_round(
    open_page: Open, low: float, high: float, count: int, wanted: list[float]
) -> None:
    page = open_page()
    script = "async (a) => (await import('/page/js/curve.js')).ticks(...a)"
    assert page.evaluate(script, [low, high, count]) == wanted


def test_family_with_two_parents_has_each_model_once(open_page: Open) -> None:
    def kin(name: str, *parents: object) -> dict[str, object]:
        return {"name": name, "fingerprint": name, "parents": list(parents)}

    base = kin("base")
    tuned = kin("tuned", base)
    merged = kin("merged", tuned, kin("aligned", tuned))
    page = open_page()
    script = "async (root) => (await import('/page/js/lineage.js')).family(root)"
    found = page.evaluate(script, merged)
    drawn = [(one["id"], one["depth"], one["lane"], one["parents"]) for one in found]
    assert drawn == [
        ("base", 0, 0, []),
        ("tuned", 1, 0, ["base"]),
        ("aligned", 2, 0, ["tuned"]),
        ("merged", 3, 0, ["tuned", "aligned"]),
    ]
