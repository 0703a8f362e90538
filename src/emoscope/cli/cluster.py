"""``emoscope cluster``: groups of the recordings of an index, and a map of them."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emoscope.cli.show import emotion_name
from emoscope.errors import SettingError
from emoscope.files import atomic_write, check_folder, translated_os_errors
from emoscope.labels import by_key
from emoscope.messages.languages import Language
from emoscope.messages.vectors import MAP
from emoscope.paths.choices import ClusterMethod, SpaceName
from emoscope.vectors import Index
from emoscope.vectors.cluster import Cluster, Clustering, cluster_entries
from emoscope.vectors.map import RecordingMap
from emoscope.vectors.projection import project

_COLUMNS = ("emotions", "speakers", "labels", "stability", "nearest", "farthest")
_WIDE, _WIDE_FROM = ("speakers", "labels"), 120
"""Columns that only terminals of so many characters have room for."""
CLUSTERS, PICTURE, PAGE_FILE = "clusters.csv", "map.svg", "map.html"


def run_cluster(
    folder: Path,
    out: Path,
    language: Language,
    *,
    clusters: str,
    method: ClusterMethod,
    space: SpaceName,
) -> None:
    """Group the recordings of an index; print the groups and write the map.

    Args:
        folder: of the index.
        out: folder for ``clusters.csv``, ``map.svg`` and ``map.html``.
        language: of what is printed and written.
        clusters: how many groups, or ``auto``.
        method: ``kmeans`` or ``hdbscan``.
        space: what near means.

    Raises:
        SettingError: ``clusters`` is no number from 2 on and not ``auto``.
        VectorIndexError: there is no index, it is damaged, or holds too few recordings.
        ExtraMissingError: scikit-learn is not installed.
        StoreError: the files cannot be written.
    """
    count = _number(clusters)
    check_folder(out)
    with Index.open(folder) as index:
        entries, mapped = index.mapped(space)
    made = cluster_entries(entries, mapped, index=folder.name, count=count, method=method)
    places, placed = project(mapped)
    title = MAP["title"](language, name=folder.name)
    drawn = RecordingMap(title, entries, places, placed, made)
    with translated_os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    for name, text in (
        (CLUSTERS, drawn.clusters_csv()),
        (PICTURE, drawn.svg(language)),
        (PAGE_FILE, drawn.html(language)),
    ):
        # A name that is no UTF-8 holds lone surrogates.
        atomic_write(out / name, text.encode("utf-8", "backslashreplace"))
    _print(made, drawn.facts(language), language)
    files = ", ".join(str(out / name) for name in (CLUSTERS, PICTURE, PAGE_FILE))
    Console(stderr=True).print(MAP["written"](language, files=files), style="dim", soft_wrap=True)


def _number(clusters: str) -> int | None:
    if clusters == "auto":
        return None
    if clusters.isascii() and clusters.isdigit() and 2 <= int(clusters) <= 1_000:
        return int(clusters)
    raise SettingError("setting_invalid", setting="--clusters", reason="auto | 2, 3, … 1000")


def _print(made: Clustering, facts: list[str], language: Language) -> None:
    screen = Console()
    shown = [name for name in _COLUMNS if name not in _WIDE or screen.width >= _WIDE_FROM]
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    table.add_column(MAP["recordings"](language), justify="right")
    for name in shown:
        table.add_column(MAP[name](language), overflow="fold")
    for one in made.clusters:
        cells = dict(zip(_COLUMNS, _cells(one, language), strict=True))
        group = MAP["cluster_n"](language, number=one.number)
        table.add_row(group, str(one.size), *(cells[name] for name in shown))
    screen.print(table)
    for fact in facts:
        screen.print(fact, style="dim", highlight=False)


def _cells(one: Cluster, language: Language) -> list[str]:
    emotions = ", ".join(
        f"{emotion_name(by_key(key), language)} {share:.0%}" for key, share in one.emotions
    )
    speaker, label = one.leading_speaker, one.leading_label
    return [
        emotions,
        escape(f"{one.speakers} ({speaker[0]} {speaker[1]:.0%})") if one.speakers else "",
        escape(f"{label[0]} {label[1]:.0%}") if label[0] else "",
        f"{one.stability:.2f}",
        escape(one.nearest.name),
        escape(one.farthest.name),
    ]
