"""Embedders and rerankers of sentence-transformers: tiny seeded models in folders, no hub."""

from pathlib import Path

import numpy as np
import pytest

from solarmini.errors import EmbedderError
from solarmini.rag.embed.interface import open_embedder
from solarmini.rag.knowledge import KnowledgeBase
from solarmini.rag.retrieve.rerank import CrossEncoderReranker

pytest.importorskip("sentence_transformers")

TEXTS = (
    "The mill at Sund grinds rye.",
    "The harbour of Tarn freezes in January.",
    "휴가는 7일 전에 신청하여야 한다.",
    "Green tea is brewed at 80 degrees.",
)


def tiny_bert(folder: Path, *, labels: int | None = None) -> Path:
    """Save a seeded BERT of letters to a folder, with a head that gives `labels` scores or none."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertModel,
        PreTrainedTokenizerFast,
    )

    torch.manual_seed(11)
    letters = sorted(set("".join(TEXTS).lower() + "abcdefghijklmnopqrstuvwxyz?"))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters]
    tokenizer = Tokenizer(
        models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=128,
    )
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
        num_labels=labels or 2,
    )
    model = BertForSequenceClassification(config) if labels else BertModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers folder: the network, then the mean of its tokens."""
    from sentence_transformers import SentenceTransformer

    raw = tiny_bert(tmp_path_factory.mktemp("bert") / "raw")
    folder = raw.parent / "model"
    SentenceTransformer(str(raw), device="cpu").save_pretrained(str(folder))
    return folder


def test_vectors_are_the_means_of_the_network(bert: Path) -> None:
    """The same as the network of the folder run by hand."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    embedder = open_embedder(f"st:{bert}")
    assert embedder is not None
    assert (embedder.name, embedder.dimension) == (f"st:{bert}", 32)
    made = embedder.passages(TEXTS)
    network, tokenizer = AutoModel.from_pretrained(bert), AutoTokenizer.from_pretrained(bert)
    for text, vector in zip(TEXTS, made, strict=True):
        with torch.no_grad():
            states = network.eval()(**tokenizer(text, return_tensors="pt")).last_hidden_state
        mean = states[0].mean(dim=0).numpy()
        assert vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
        assert embedder.query(text) == pytest.approx(vector, abs=1e-5)


def test_a_store_of_such_vectors_finds_and_answers(bert: Path, tmp_path: Path) -> None:
    for at, text in enumerate(TEXTS):
        (tmp_path / f"{at}.txt").write_text(text, encoding="utf-8")
    with KnowledgeBase.open(tmp_path / "kb.db", embedder=f"st:{bert}") as kb:
        kb.add(tmp_path)
        assert [hit.text for hit in kb.search(TEXTS[1], 1, mode="dense")] == [TEXTS[1]]
        assert kb.search(TEXTS[1], 1, mode="dense")[0].dense == pytest.approx(1, abs=1e-5)
        assert "rye" in kb.ask("What does the mill at Sund grind?").text
    with KnowledgeBase.open(tmp_path / "kb.db") as again:  # knows what made its vectors
        assert again.embedder is not None
        assert again.embedder.name == f"st:{bert}"
        assert again.search(TEXTS[2], 1)[0].text == TEXTS[2]
    with pytest.raises(EmbedderError, match="vectors of"):
        KnowledgeBase.open(tmp_path / "kb.db", embedder="none")


def test_a_reranker_orders_by_the_scores_of_its_network(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tiny_bert(tmp_path / "cross", labels=1)
    reranker = CrossEncoderReranker(str(folder))
    question = "When does the harbour freeze?"
    network = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        raw = [
            float(network.eval()(**tokenizer(question, t, return_tensors="pt")).logits)
            for t in TEXTS
        ]
    scores = reranker.scores(question, TEXTS)
    assert scores.dtype == np.float32
    assert np.argsort(scores).tolist() == np.argsort(raw).tolist()
    docs = tmp_path / "docs"
    docs.mkdir()
    for at, text in enumerate(TEXTS):
        (docs / f"{at}.txt").write_text(text, encoding="utf-8")
    with KnowledgeBase.open(tmp_path / "kb.db", embedder="none") as kb:
        kb.add(docs)
        asked = f"{question} 80 degrees rye 휴가"  # words of all four
        hits = kb.search(asked, reranker=reranker)
        wanted = reranker.scores(asked, [hit.text for hit in hits])
        assert len(hits) == len(TEXTS)
        assert [hit.score for hit in hits] == pytest.approx(sorted(wanted, reverse=True), abs=1e-5)
        assert [hit.text for hit in hits] != [hit.text for hit in kb.search(asked)]


@pytest.mark.parametrize("kind", ["embedder", "reranker"])
def test_a_folder_without_a_model_is_named(kind: str, tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="cannot be loaded") as caught:
        if kind == "embedder":
            embedder = open_embedder(f"st:{tmp_path}")
            assert embedder is not None
            embedder.query("x")
        else:
            CrossEncoderReranker(str(tmp_path)).scores("x", ["y"])
    assert str(tmp_path) in str(caught.value)
