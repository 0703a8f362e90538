"""Options of the commands about figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emoscope.evaluate.lists import LabelledList
    from emoscope.evaluate.words import LabelWords


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """How the labels of a list are read."""

    label_map: Annotated[
        Path | None,
        typer.Option("--map", help="标签映射：标签,情绪 · map of labels: CSV or JSON"),
    ] = None
    """File that says what labels mean."""
    drop_unknown: Annotated[
        bool, typer.Option("--drop-unknown", help="去掉未知标签的行 · drop rows of unknown labels")
    ] = False
    """Whether rows with labels that mean nothing are left out."""
    table: Annotated[
        str | None, typer.Option("--table", help="audformat 的表 · table of an audformat database")
    ] = None
    """Of an audformat database; None for each with emotions."""

    def words(self) -> LabelWords:
        """Return what labels mean.

        Raises:
            InputError: the map cannot be used.
        """
        from emoscope.evaluate.words import LabelWords, read_label_map

        return LabelWords() if self.label_map is None else read_label_map(self.label_map)

    def read(self, path: Path) -> LabelledList:
        """Read a list.

        Raises:
            InputError: the list or the map cannot be used.
        """
        from emoscope.evaluate.lists import read_labelled_list

        return read_labelled_list(
            path, self.words(), drop_unknown=self.drop_unknown, table=self.table
        )


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """The bootstrap of the intervals."""

    draws: Annotated[
        int, typer.Option("--draws", min=1, help="自助法抽样次数 · draws of the bootstrap")
    ] = 1_000
    """Bootstrap samples."""
    seed: Annotated[int, typer.Option("--seed", min=0, help="随机种子 · its seed")] = 0
    """Of the drawing."""


@dataclass(frozen=True, slots=True)
class TimelineOptions:
    """Evaluation over time."""

    timeline: Annotated[
        bool,
        typer.Option(
            "--timeline",
            help="与人工标注（TextGrid、EAF）逐时比较 · over time, against TextGrid or EAF",
        ),
    ] = False
    """Whether segments are compared with annotations over time."""
    tier: Annotated[
        str | None, typer.Option("--tier", help="标注的层 · tier of the annotations")
    ] = None
    """Tier of the annotations; None for the first with intervals."""
