from __future__ import annotations

import pytest

from emoscope.emotion2vec.config import parse_config
from emoscope.emotion2vec.layout import expected, match
from parity.official_folder import SIZES, config, weights
from raising import raises_code

TINY = parse_config(config(SIZES["tiny"]))
SHAPES = {name: value.shape for name, value in weights(SIZES["tiny"], 0).items()}


def test_names_and_shapes_are_the_official_ones() -> None:
    assert expected(TINY) == SHAPES


def test_the_large_network_has_the_published_number_of_parameters() -> None:
    shapes = expected(parse_config(config(SIZES["large"]))).values()

    count = 0
    for shape in shapes:
        size = 1
        for length in shape:
            size *= length
        count += size
    assert (len(shapes), count) == (185, 162_140_185)


@pytest.mark.parametrize("prefix", ["", "d2v_model.", "module.", "module.d2v_model."])
def test_prefixes_do_not_matter(prefix: str) -> None:
    found = match({prefix + name: shape for name, shape in SHAPES.items()}, TINY, file="model.pt")

    assert found == {name: prefix + name for name in SHAPES}


def test_what_only_training_used_is_skipped() -> None:
    training = {
        "d2v_model.modality_encoders.AUDIO.decoder.blocks.0.0.weight": (3,),
        "d2v_model.modality_encoders.IMAGE.extra_tokens": (3,),
        "d2v_model.modality_encoders.TEXT.alibi_scale": (3,),
        "d2v_model.ema.blocks.0.norm1.weight": (3,),
        "_ema": (3,),
        "d2v_model.shared_decoder.proj.weight": (3,),
    }

    assert match(SHAPES | training, TINY, file="model.pt").keys() == SHAPES.keys()


def test_missing_unexpected_and_misshaped_tensors_are_named() -> None:
    shapes = SHAPES | {"blocks.9.norm1.weight": (96,), "blocks.0.norm1.weight": (95,)}
    del shapes["proj.bias"]

    with raises_code("checkpoint_tensors") as told:
        match(shapes, TINY, file="model.pt")

    for sentence in (told.value.detail_zh, told.value.detail_en):
        assert "proj.bias" in sentence
        assert "blocks.9.norm1.weight" in sentence
        assert "blocks.0.norm1.weight (95,) != (96,)" in sentence


def test_the_same_tensor_under_two_names_is_unexpected() -> None:
    with raises_code("checkpoint_tensors", match=r"unexpected: d2v_model\.blocks"):
        match(SHAPES | {"d2v_model.blocks.0.norm1.bias": (96,)}, TINY, file="model.pt")


def test_a_long_list_is_cut() -> None:
    with raises_code("checkpoint_tensors", match=r"… \(77\)"):
        match({}, TINY, file="model.pt")
