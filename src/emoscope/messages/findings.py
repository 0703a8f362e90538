"""Findings of the check of a model, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from emoscope.messages.languages import Text

FINDINGS: Mapping[str, Text] = {
    "file_unproven": Text(
        "获取 {name} 时没有可以对照的 sha256：只能发现此后的改动。",
        "Nothing was known to compare {name} with when it was fetched: "
        "only later changes are found.",
    ),
    "revision_unknown": Text(
        "模型来自修订 {revision}，目录中固定的是 {pins}。",
        "The model was made from revision {revision}; the catalog pins {pins}.",
    ),
    "dim_wrong": Text(
        "模型的嵌入是 {found} 维，说明卡写的是 {expected} 维。",
        "The model's embedding has {found} numbers, its card says {expected}.",
    ),
    "frames_wrong": Text(
        "帧数应为 {expected}，模型给出 {found}。",
        "The model counts {found} frames instead of {expected}.",
    ),
    "output_not_finite": Text(
        "模型对普通噪声给出了 NaN 或无穷大：权重已损坏，或转换有误。",
        "The model answers plain noise with NaN or infinity: "
        "its weights are damaged or its conversion went wrong.",
    ),
    "padding_changes_answers": Text(
        "同一段声音单独送入与补零成批送入，结果相差 {difference:.2g}：模型不符合约定。",
        "A clip alone and the same clip padded in a batch differ by {difference:.2g}: "
        "the model does not keep the contract.",
    ),
    "weights_known": Text(
        "{file} 是 {model}（修订 {revision}），未被改动。",
        "{file} is that of {model} (revision {revision}), unchanged.",
    ),
    "weights_unknown": Text(
        "{file} 的 sha256（{sha256}…）不在目录中：是别的修订、别的模型，或已被改动。",
        "The sha256 of {file} ({sha256}…) is not in the catalog: "
        "another revision, another model, or changed.",
    ),
}
"""Sentence by code, for the findings that are no errors of ``errors.py``."""
