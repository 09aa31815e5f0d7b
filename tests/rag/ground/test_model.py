"""The trees: the shipped file fits the measures, and all trees at once give each tree's leaf."""

import numpy as np

from solarmini.rag.ground import model
from solarmini.rag.ground.claims import statements
from solarmini.rag.ground.entail.encoder import Reading
from solarmini.rag.ground.features import measure
from solarmini.rag.ground.model import WEIGHED, WEIGHTS, pool, trees, weighed
from solarmini.rag.ground.passages import Context


def evidence(answer):
    context = Context(["The mill ground 40 sacks a day. 방앗간은 하루 40자루를 빻았다."])
    return [measure(each, context) for each in statements(answer)]


def read(entailed, contradicted):
    return Reading(entailed, 1 - entailed - contradicted, contradicted)


def test_the_shipped_trees_were_made_for_these_measures():
    (found,) = evidence("The mill ground 40 sacks.")
    assert trees().names == tuple(found.measures)
    assert len(pool([found])) == 3 * len(found.measures) + 1
    assert trees().feature.max() < len(pool([found]))


def test_the_file_is_small_and_plain_arrays():
    assert WEIGHTS.stat().st_size < 300_000
    with np.load(WEIGHTS, allow_pickle=False) as held:
        assert all(held[name].dtype.kind in "iufU" for name in held.files)


def test_the_odds_are_the_sum_of_the_leaf_of_every_tree():
    weights = model.read(WEIGHTS)
    for answer in (
        "The mill ground 40 sacks.",
        "It burned. 그 집은 아주 컸다.",
        "방앗간은 하루 70자루를 빻았다.",
    ):
        row = pool(evidence(answer))
        total = weights.base
        for tree in range(len(weights.feature)):
            node = 0
            while weights.left[tree, node] != node:
                left = row[weights.feature[tree, node]] <= weights.threshold[tree, node]
                node = (weights.left if left else weights.right)[tree, node]
            total += weights.value[tree, node]
        np.testing.assert_allclose(weights.odds(row), total, rtol=1e-9)


def test_the_claim_that_is_entailed_least_is_weighed():
    (found,) = evidence("The mill ground 40 sacks.")
    row, names = pool([found]), list(found.measures)
    both = [read(0.9, 0.05), read(0.2, 0.7)]
    z = weighed(row, names, 1.5, both, asked=False)
    assert len(z) == WEIGHED == len(trees().regression)
    np.testing.assert_allclose(z[:4], [1, 1.5, np.log(0.2 / 0.8), np.log(0.2 / 0.7)])
    assert not z[4:8].any()
    np.testing.assert_array_equal(weighed(row, names, 1.5, both, asked=True)[4:8], z[:4])
    np.testing.assert_allclose(z[8:12], z[:4] * (1 - found.measures["letters"]))
    np.testing.assert_array_equal(z[12:], z[:4])  # the context has two sentences


def test_more_entailed_is_scored_higher():
    for answer in ("It produced flour.", "방앗간은 곡식을 가루로 만들었다."):
        (found,) = evidence(answer)
        scores = []
        for entailed in (0.05, 0.5, 0.95):
            found.reading = read(entailed, (1 - entailed) / 2)
            scores.append(trees().score([found], asked=False))
        assert scores == sorted(scores)
        assert scores[2] > scores[0] + 0.1


def test_pooling_one_claim_gives_it_three_times():
    (found,) = evidence("The mill ground 40 sacks.")
    mean, most, least = np.split(pool([found])[:-1], 3)
    np.testing.assert_allclose(mean, most)
    np.testing.assert_array_equal(most, least)


def test_pooling_keeps_the_worst_claim_in_sight():
    good, bad = evidence("The mill ground 40 sacks. The queen of Sweden danced in the harbour.")
    at = list(good.measures).index("cover")
    least = np.split(pool([good, bad])[:-1], 3)[2]
    assert least[at] == bad.measures["cover"] < good.measures["cover"]
