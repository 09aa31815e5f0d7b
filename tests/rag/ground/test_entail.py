"""The network that reads premise and claim: its files, what it is given, what it makes of it."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.errors import MissingExtraError
from solarmini.rag.ground import check
from solarmini.rag.ground.claims import statements
from solarmini.rag.ground.entail.asserted import asserted
from solarmini.rag.ground.entail.encoder import FOLDER, MOST_TOKENS, encoder, load, reading
from solarmini.rag.ground.entail.premise import premise
from solarmini.rag.ground.features import measure
from solarmini.rag.ground.passages import Context

# a premise, what follows from it in other words, and what it rules out
READ = [
    ("A man is sleeping on the sofa.", "A person is asleep.", "The man is running outside."),
    ("Two dogs play in the snow.", "There are animals outdoors.", "Two dogs swim in the sea."),
    ("이 식당은 음식이 정말 맛있어요.", "식당의 음식이 맛있다.", "이 식당은 음식이 맛없다."),
    ("회의는 오전 9시에 시작되었다.", "오전에 회의가 시작되었다.", "회의는 시작되지 않았다."),
]


@pytest.mark.parametrize(("text", "true", "false"), READ)
def test_what_follows_is_entailed_more_than_what_is_ruled_out(text, true, false):
    one, other = encoder().read(text, true), encoder().read(text, false)
    assert one.entailed > other.entailed + 0.2
    assert other.contradicted > one.contradicted + 0.2


def test_the_reading_is_of_three_probabilities_and_the_same_every_time():
    one = encoder().read(*READ[0][:2])
    assert one.entailed + one.neutral + one.contradicted == pytest.approx(1)
    assert one == encoder().read(*READ[0][:2])
    assert reading(np.array([900.0, 0.0, -900.0], np.float32)).entailed == pytest.approx(1)


def test_word_vectors_are_blocks_of_four_bits():
    network = encoder()
    packed, scale = network.quarters[700], network.scales[700].astype(np.float32)
    expected = np.zeros(384, np.float32)
    for block in range(12):
        for at in range(16):
            byte = int(packed[16 * block + at])
            expected[32 * block + at] = ((byte & 15) - 8) * scale[block]
            expected[32 * block + 16 + at] = ((byte >> 4) - 8) * scale[block]
    np.testing.assert_array_equal(network.words(np.array([700]))[0], expected)
    assert network.tokenizer.get_vocab_size() == len(network.quarters) == len(network.scales)


def test_the_files_are_small_and_plain():
    assert sum(file.stat().st_size for file in FOLDER.iterdir() if file.is_file()) < 20e6
    with np.load(FOLDER / "words.npz", allow_pickle=False) as held:
        assert {held[name].dtype.kind for name in held.files} == {"u", "f"}


def given_to(context, claim):
    source = Context(context if isinstance(context, list) else [context])
    (stated,) = statements(claim)
    found = measure(stated, source)
    return premise(stated.stated, found.said, found.support, source, encoder())


def test_a_short_context_is_read_whole_and_in_order():
    text = "The mill ground rye. It stood at Holm. Nobody knew why."
    assert given_to(text, "The mill stood at Holm.") == text


def test_of_a_long_context_the_sentences_that_bear_on_the_claim_are_read():
    filler = [f"Ledger {n} lists the rents of the farms beyond the river." for n in range(60)]
    filler[41] = "The mill of Holm ground 40 sacks of rye a day."
    read = given_to([" ".join(filler), "Nothing else is known."], "The mill ground 40 sacks.")
    assert filler[41] in read
    assert len(encoder().tokens(read)) < MOST_TOKENS


def test_a_sentence_that_is_too_long_is_cut_around_what_the_claim_says():
    rows = [f"item {n} weighs {n * 13} stones" for n in range(120)]
    rows[77] = "the anvil weighs 5 talents"
    read = given_to("; ".join(rows), "The anvil weighs 5 talents.")
    assert rows[77] in read
    assert len(encoder().tokens(read)) < MOST_TOKENS


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("고래는 포유류인가요?", "고래는 포유류이다."),
        ("우도는 제주도에 속하는가?", "우도는 제주도에 속한다."),
        ("그는 배를 만드나요?", "그는 배를 만든다."),
        ("그곳에서 책을 읽나요?", "그곳에서 책을 읽는다."),
        ("이 강은 깊지 않은가?", "이 강은 깊지 않다."),
        ("그는 떠나지 않는가?", "그는 떠나지 않는다."),
        ("역에서 가까운가요?", "역에서 가깝다."),
        ("다리는 1931년에 놓였습니까?", "다리는 1931년에 놓였다."),
        ("다리가 있나요?", "다리가 있다."),
        ("다리는 철로 되어 있다", "다리는 철로 되어 있다."),
        ("Is it so?", "Is it so?"),
        ("?", "?"),
    ],
)
def test_a_korean_question_is_read_as_the_statement_that_yes_makes(question, statement):
    assert asserted(question) == statement


@given(st.text(alphabet="ab가나 .!?\n1", max_size=60), st.text(alphabet="ab가나 .1", max_size=30))
def test_any_text_is_read(context, claim):
    verdict = check(context, claim)
    assert 0 <= verdict.score <= 1
    assert 0 < encoder().read(context, claim).entailed < 1


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        (
            "이 숙소는 역에서 아주 가까워요.",
            "숙소는 역 근처에 있다.",
            "숙소는 역에서 멀리 떨어져 있다.",
        ),
        ("이 식당은 음식이 정말 맛있어요.", "식당의 음식이 훌륭하다.", "식당의 음식이 형편없다."),
        ("회의는 오전 9시에 시작되었다.", "회의가 오전에 열렸다.", "회의가 오후에 열렸다."),
    ],
)
def test_a_meaning_in_other_words_raises_the_score(text, near, far):
    assert check(text, near).score > check(text, far).score + 0.1


@pytest.mark.parametrize("missing", ["onnxruntime", "tokenizers"])
def test_without_its_packages_the_error_names_the_extra(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match="rag"):
        load(FOLDER)


def test_reading_needs_no_torch():
    code = (
        "import sys; from solarmini.rag.ground import check; check('A mill.', 'A mill.');"
        "print([m for m in ('torch', 'transformers', 'sklearn', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
