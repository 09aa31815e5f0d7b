"""Which type each tensor gets: llama.cpp's mixtures, computed by hand from its rules."""

import pytest

from solarmini.errors import ConfigError
from solarmini.export.quant import QUANTS, Shape, find_quant, tensor_type

SOLAR = Shape(layers=48, tied=False, groups=4)


def layers_with(quant: str, tensor: str, kind: str, model: Shape = SOLAR) -> list[int]:
    names = [f"blk.{layer}.{tensor}.weight" for layer in range(model.layers)]
    found = [tensor_type(QUANTS[quant], name, (4096, 4096), model)[0] for name in names]
    return [layer for layer, type_ in enumerate(found) if type_ == kind]


def test_q4_k_m_gives_more_bits_to_every_third_layer_and_both_ends() -> None:
    more = [*range(6), *range(8, 42, 3), *range(42, 48)]
    assert layers_with("q4_k_m", "attn_v", "Q6_K") == more
    assert layers_with("q4_k_m", "ffn_down", "Q6_K") == more
    assert layers_with("q4_k_m", "ffn_up", "Q4_K") == list(range(48))
    assert layers_with("q5_k_m", "ffn_down", "Q6_K") == more
    assert len(layers_with("q5_k_m", "attn_output", "Q5_K")) == 48


def test_the_small_mixtures() -> None:
    assert layers_with("q4_k_s", "attn_v", "Q5_K") == [0, 1, 2, 3]
    assert layers_with("q4_k_s", "ffn_down", "Q5_K") == list(range(6))
    assert layers_with("q3_k_m", "attn_v", "Q5_K") == [0, 1]
    assert layers_with("q3_k_m", "ffn_down", "Q5_K") == [0, 1, 2]
    assert len(layers_with("q3_k_m", "attn_output", "Q4_K")) == 48
    assert len(layers_with("q2_k", "attn_v", "Q4_K")) == 48
    assert len(layers_with("q2_k", "attn_v", "Q3_K", Shape(48, False, 1))) == 48
    assert len(layers_with("q2_k", "ffn_down", "Q3_K")) == 48


@pytest.mark.parametrize("quant", ["q4_k_m", "q4_0", "q5_1", "q2_k"])
def test_the_output_keeps_six_bits_and_a_tied_table_is_the_output(quant: str) -> None:
    kind = QUANTS[quant]
    assert tensor_type(kind, "output.weight", (32000, 4096), SOLAR)[0] == "Q6_K"
    assert tensor_type(kind, "token_embd.weight", (32000, 4096), SOLAR)[0] == kind.base
    tied = Shape(30, True, 3)
    assert tensor_type(kind, "token_embd.weight", (32000, 4096), tied)[0] == "Q6_K"
    # 576 columns are no whole super-blocks
    found, wanted = tensor_type(kind, "token_embd.weight", (49152, 576), tied)
    assert found == "Q8_0"
    assert wanted in ("Q6_K", "Q8_0")


def test_rows_that_are_no_whole_blocks_fall_back() -> None:
    changes = {"q4_k_m": "Q5_0", "q5_k_m": "Q5_1", "q6_k": "Q8_0", "q2_k": "Q4_0"}
    for quant, kind in changes.items():
        found = tensor_type(QUANTS[quant], "blk.9.attn_q.weight", (576, 576), SOLAR)
        assert found == (kind, QUANTS[quant].base)
    assert tensor_type(QUANTS["q8_0"], "blk.0.attn_q.weight", (40, 40), SOLAR)[0] == "F16"
    assert tensor_type(QUANTS["q4_k_m"], "blk.9.attn_q.weight", (40, 40), SOLAR)[0] == "F16"


def test_vectors_and_norms_stay_exact() -> None:
    for quant in QUANTS.values():
        for name, shape in (
            ("blk.0.attn_norm.weight", (64,)),
            ("blk.0.attn_q.bias", (64,)),
            ("output_norm.weight", (64,)),
        ):
            assert tensor_type(quant, name, shape, SOLAR) == ("F32", "F32")


def test_an_unknown_name_lists_the_known() -> None:
    assert find_quant("Q4_K_M").name == "q4_k_m"
    with pytest.raises(ConfigError, match="q4_k_m"):
        find_quant("q4km")
