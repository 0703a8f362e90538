from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from emoscope.emotion2vec.config import ConvLayer, parse_config, parse_convs, read_config
from parity.official_folder import SIZES, config
from raising import raises_code

SPEC = "[(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512,2,2)] + [(512,2,2)]"


def changed(name: str, value: Any) -> dict[str, Any]:
    """The large model's configuration with one setting changed, or removed if it is ``...``."""
    content = config(SIZES["large"])
    *path, last = name.split(".")
    inner: Any = content
    for part in path:
        inner = inner[part]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return content


def test_the_published_network_is_read() -> None:
    large = parse_config(config(SIZES["large"]))

    assert (large.dim, large.heads, large.head_dim, large.hidden) == (1024, 16, 64, 4096)
    assert (large.prenet_depth, large.depth, large.extra_tokens) == (4, 8, 10)
    assert (large.pos_depth, large.pos_kernel, large.pos_groups) == (5, 19, 16)
    assert (large.hop, large.field, large.alibi_scales) == (320, 400, 16)


def test_the_spec_of_the_front_end_is_read_without_evaluating_it() -> None:
    layers = parse_convs(SPEC)

    assert layers[0] == ConvLayer(512, 10, 5)
    assert layers[1:5] == (ConvLayer(512, 3, 2),) * 4
    assert layers[5:] == (ConvLayer(512, 2, 2),) * 2
    assert parse_convs("2 * [(1, 2, 3)]") == (ConvLayer(1, 2, 3),) * 2


@pytest.mark.parametrize(
    "spec",
    [
        "__import__('os').system('true')",
        "[(512, 10, 5)] if True else []",
        "[x for x in [(1, 1, 1)]]",
        "[(512, 10, 5)] * 10 ** 9",
        "[(512, 10, 5)] * 1000000000",
        "[[[(1, 1, 1)] * 60] * 60] * 60",
        "[(512, 10)]",
        "[(512, 10, -5)]",
        "[(512, 10, True)]",
        "[(512, 10, 5.0)]",
        "[]",
        "(512, 10, 5)",
        "3 + 4",
        "[(1, 1, 1)] + 4",
        "[(1, 1, 1)] * [2]",
        "f'{1}'",
        "",
        "[",
        "(" * 900,
        "[(1, 1, 1)]" + " + [(1, 1, 1)]" * 100,
    ],
)
def test_any_other_expression_is_refused(spec: str) -> None:
    with raises_code("model_config", match="feature_encoder_spec"):
        parse_config(changed("model_conf.modalities.audio.feature_encoder_spec", spec))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("model", "Paraformer"),
        ("model_conf.layer_norm_first", True),
        ("model_conf.norm_affine", False),
        ("model_conf.normalize", False),
        ("model_conf.normalize", 1),
        ("model_conf.embed_dim", 1000),
        ("model_conf.embed_dim", "1024"),
        ("model_conf.embed_dim", ...),
        ("model_conf.num_heads", 0),
        ("model_conf.depth", -1),
        ("model_conf.depth", True),
        ("model_conf.depth", 10**6),
        ("model_conf.mlp_ratio", "4"),
        ("model_conf.mlp_ratio", float("nan")),
        ("model_conf.norm_eps", 0),
        ("model_conf.modalities.audio", None),
        ("model_conf.modalities.audio.extractor_mode", "default"),
        ("model_conf.modalities.audio.use_alibi_encoder", False),
        ("model_conf.modalities.audio.learned_alibi", True),
        ("model_conf.modalities.audio.learned_alibi_scale_per_layer", True),
        ("model_conf.modalities.audio.num_alibi_heads", 8),
        ("model_conf.modalities.audio.conv_pos_pre_ln", True),
        ("model_conf.modalities.audio.conv_pos_width", 100),
        ("model_conf.modalities.audio.conv_pos_groups", 7),
        ("model_conf.modalities.audio.feature_encoder_spec", "[(512, 10, 5)]"),
    ],
)
def test_another_network_is_refused_by_the_name_of_its_setting(setting: str, value: Any) -> None:
    with raises_code("model_config") as refused:
        parse_config(changed(setting, value))

    # A change of embed_dim may show first in what must divide it.
    name = str(refused.value.data["setting"])
    assert name.startswith(setting) or setting == "model_conf.embed_dim"
    assert name in refused.value.detail_zh


def test_settings_of_training_do_not_matter() -> None:
    plain = parse_config(config(SIZES["large"]))

    assert parse_config(changed("model_conf.encoder_dropout", 0.7)) == plain
    assert parse_config(changed("model_conf.clone_batch", ...)) == plain


def test_one_learned_scale_for_all_heads_is_understood() -> None:
    setting = "model_conf.modalities.audio.learned_alibi_scale_per_head"

    assert parse_config(changed(setting, False)).alibi_scales == 1


def test_a_file_is_read_safely(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    with raises_code("model_file_missing"):
        read_config(path)

    path.write_text(yaml.safe_dump(config(SIZES["base"])))
    assert read_config(path).heads == 12

    for text in ("model: [", "!!python/object/apply:os.system ['true']", "[" * 300, "\0", "- 1"):
        path.write_text(text)
        with raises_code("model_config"):
            read_config(path)
    path.write_bytes(b"model: \xff\xfe\xfa")
    with raises_code("model_config"):
        read_config(path)
