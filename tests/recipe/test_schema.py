"""Recipes are checked before anything is begun."""

from pathlib import Path

import pytest
from helpers import solar

from solarmini.data.hub import parts
from solarmini.errors import ConfigError
from solarmini.growth.upscale import plan_for
from solarmini.recipe.build import check
from solarmini.recipe.schema import find_recipe, read_recipe

ROOT = Path(__file__).parents[2]
HEAD = 'name = "x"\n[[stage]]\nname = "base"\nkind = "pull"\nsettings.model = "m"\n'


def stage(**facts: str) -> str:
    return "[[stage]]\n" + "".join(f"{key} = {value}\n" for key, value in facts.items())


@pytest.mark.parametrize(
    ("text", "message", "mend"),
    [
        ('nam = "x"', "unknown key 'nam'|missing", None),
        (HEAD + "[[stage]]\nnme = 'a'\nkind = 'pull'", "nme|missing", None),
        (
            HEAD + stage(name='"a"', kind='"upscale"', **{"from": '["bse"]'}),
            "starts from 'bse', which no earlier stage makes",
            "did you mean 'base'?",
        ),
        (
            HEAD + stage(name='"base"', kind='"upscale"', **{"from": '["base"]'}),
            "two stages are named 'base'",
            None,
        ),
        (
            HEAD + stage(name='"a"', kind='"merge"', **{"from": '["base"]'}),
            r"'a' \(merge\) starts from 1 models",
            "pull starts from none, merge from two or more, the others from one",
        ),
        (
            HEAD
            + stage(name='"a"', kind='"upscale"', **{"from": '["base"]', "settings.dorp": "8"}),
            "unknown key 'dorp'",
            "did you mean 'drop'?",
        ),
        (
            HEAD
            + stage(
                name='"a"', kind='"pretrain"', **{"from": '["base"]', "settings.learning": "1"}
            ),
            "unknown key 'learning'",
            None,
        ),
        (HEAD + "[evaluate]\ntxt = []", "unknown key 'txt'", "did you mean 'text'?"),
        ('name = "x"\nstage = []', "no stages", None),
    ],
)
def test_bad_recipes_are_named(tmp_path: Path, text: str, message: str, mend: str | None) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        check(read_recipe(path))
    if mend:
        assert caught.value.mend == mend


def test_names_and_near_misses() -> None:
    assert find_recipe("smollm2-demo").name == "smollm2-demo.toml"
    with pytest.raises(ConfigError, match="no recipe 'smollm-demo'") as caught:
        find_recipe("smollm-demo")
    assert caught.value.mend == "did you mean 'smollm2-demo'?"


@pytest.mark.parametrize("name", ["smollm2-demo", "solar-10.7b"])
def test_shipped_recipes_are_valid_and_plan(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(find_recipe(name))
    check(recipe)
    planned = solar("build", name, "--run", tmp_path / "run", "--dry-run")
    assert planned.code == 0
    assert all(stage.name in planned.out for stage in recipe.stage)
    assert not (tmp_path / "run").exists()


def test_solar_recipe_states_the_papers_values() -> None:
    """arXiv:2312.15166 sections 2-4, arXiv:2310.16944 sections 4.3-4.4."""
    recipe = read_recipe(find_recipe("solar-10.7b"))
    stages = {stage.name: stage for stage in recipe.stage}
    grown = stages["solar-10.7b-raw"].settings
    assert (grown["method"], grown["drop"], grown["as_llama"]) == ("dus", 8, True)
    plan = plan_for(32, method=grown["method"], drop=grown["drop"])
    assert plan.sources == (*range(24), *range(8, 32))
    assert parts(stages["solar-10.7b"].settings["data"][0].removeprefix("hf:")) == (
        "HuggingFaceFW/fineweb-edu",
        "sample-10BT",  # the default config is a thousand times as large
        "train",
    )
    for name in ("sft-v3", "sft-v4"):
        sft = stages[name].settings
        assert (sft["lr"], sft["schedule"], sft["template"]) == (2e-5, "cosine", "solar")
    for name in ("candidate-1", "candidate-2"):
        dpo = stages[name].settings
        assert (dpo["beta"], dpo["lr"], dpo["schedule"]) == (0.1, 5e-7, "linear")
        assert (dpo["warmup"], dpo["epochs"], len(dpo["steps"])) == (0.1, 3, 2)
        assert dpo["steps"][1][0].endswith(":train_prefs")  # the set has no split "train"
    final = stages["solar-10.7b-instruct"]
    assert (final.settings["method"], final.settings["weights"]) == ("linear", [0.5, 0.5])
    shots = [task.rsplit(":shots=", 1)[1] for task in recipe.evaluate["task"]]
    assert shots == ["25", "10", "5", "0", "5", "5"]
