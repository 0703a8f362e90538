"""``emoscope fuse``: one answer of voice and words, and the fit of its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emoscope.cli.arguments import Commands
from emoscope.cli.options import ModelOptions, with_options

if TYPE_CHECKING:
    from emoscope.fusion.recording import WordReader

fuse_app = Commands(help="声音与文字合并 · One answer of voice and words.", no_args_is_help=True)

TextModelOption = Annotated[
    Path | None,
    typer.Option("--text-model", help="文本模型文件夹（ONNX） · folder of a text model"),
]
LabelMapOption = Annotated[
    Path | None,
    typer.Option("--label-map", help="标签对照（JSON） · its labels to emotions, JSON"),
]


@fuse_app.command("answer")
@with_options
def answer_command(
    *,
    files: Annotated[list[Path], typer.Argument(help="录音 · recordings")],
    text: Annotated[str, typer.Option("--text", help="录音里说的话 · what is said")] = "",
    spans: Annotated[
        Path | None,
        typer.Option("--spans", help="带文字的时间段 · SRT, VTT, TextGrid, EAF or CSV with text"),
    ] = None,
    tier: Annotated[
        str | None, typer.Option("--tier", help="TextGrid 或 EAF 的层 · tier of --spans")
    ] = None,
    text_scores: Annotated[
        Path | None,
        typer.Option("--text-scores", help="文字的分数（JSON） · scores of the words, JSON"),
    ] = None,
    text_model: TextModelOption = None,
    label_map: LabelMapOption = None,
    rule: Annotated[
        Path | None, typer.Option("--rule", help="fuse fit 得到的规则 · rule made by fuse fit")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
    options: ModelOptions,
) -> None:
    """声音与文字各说什么，合起来是什么 · What voice and words say, and both together."""
    from emoscope.cli.fuse_run import FuseWork, run_answer

    work = FuseWork(
        files=files,
        text=text,
        spans=spans,
        tier=tier,
        reader=_reader(text_model, label_map, text_scores),
        rule=rule,
        as_json=as_json,
    )
    if run_answer(work, options.settings()):
        raise typer.Exit(1)


@fuse_app.command("fit")
@with_options
def fit_command(
    *,
    path: Annotated[Path, typer.Argument(metavar="LIST", help="标注列表 · labelled list, CSV")],
    to: Annotated[Path, typer.Option("--to", help="规则写到 · file of the rule, JSON")],
    text_model: TextModelOption = None,
    label_map: LabelMapOption = None,
    text_column: Annotated[
        str | None, typer.Option("--text-column", help="文字列 · column of the text")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="标签列 · column of the emotion")
    ] = None,
    speaker_column: Annotated[
        str | None, typer.Option("--speaker-column", help="说话人列 · column of the speaker")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
    options: ModelOptions,
) -> None:
    """在标注列表上拟合权重 · Fit the weights on a labelled list, with speakers left out."""
    from emoscope.cli.fuse_run import run_fit
    from emoscope.fusion.examples import FusionColumns

    columns = FusionColumns(text_column, label_column, speaker_column)
    reader = _reader(text_model, label_map, None)
    if run_fit(path, to, reader, columns, options.settings(), as_json=as_json):
        raise typer.Exit(1)


def _reader(model: Path | None, label_map: Path | None, scores: Path | None) -> WordReader | None:
    """Return what reads the words; None when the command names nothing."""
    from emoscope.cli.fuse_run import given_words, label_map_of
    from emoscope.errors import SettingError
    from emoscope.fusion.text_model import TextModel

    if model is not None and scores is not None:
        raise SettingError(
            "setting_invalid", setting="--text-scores", reason="--text-model / --text-scores"
        )
    if scores is not None:
        return given_words(scores)
    return None if model is None else TextModel(model, label_map_of(label_map))
