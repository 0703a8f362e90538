"""Map of recordings as files: ``clusters.csv``, ``map.svg`` and a self-contained ``map.html``."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from emoscope.figures.html_page import render_html
from emoscope.labels import EMOTIONS
from emoscope.messages.languages import Language
from emoscope.messages.vectors import MAP
from emoscope.vectors.cluster import Clustering
from emoscope.vectors.entry import Entry
from emoscope.waveform import Array32

SIZE, _EDGE = 800, 24
_PALETTE = (
    *("#0f6e84", "#d07c00", "#764ab9", "#3f8f29", "#bb479d", "#4892d7"),
    *("#8a5a2b", "#e84e3d", "#5a5d6a", "#9a9a00", "#22a08a", "#c2577a"),
)
"""Colours of clusters, speakers and labels; later ones repeat them."""
_NONE = "#c3c9c8"


@dataclass(frozen=True, slots=True, eq=False)
class RecordingMap:
    """Map: recordings, where they stand, and their clusters."""

    title: str
    entries: Sequence[Entry]
    places: Array32
    """Shape ``(n, 2)`` within −1 and 1."""
    method: str
    """How they were placed: ``t-SNE`` or ``PCA``."""
    clustering: Clustering

    def clusters_csv(self) -> str:
        """Return a row for each recording: its cluster, its place and what is known of it."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ("name", "path", "run", "cluster", "x", "y", "emotion", "score", "speaker", "label")
        )
        for entry, place, number in self._rows():
            writer.writerow(
                (
                    *(entry.name, entry.path, entry.run, number or ""),
                    *(f"{place[0]:.4f}", f"{place[1]:.4f}", entry.emotion.key),
                    *(f"{max(entry.scores):.4f}", entry.speaker, entry.label),
                )
            )
        return file.getvalue()

    def svg(self, language: Language) -> str:
        """Return the map coloured by emotion, each recording with a tooltip."""
        dots = "\n".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{entry.emotion.colour}">'
            f"<title>{escape(self._told(entry, number, language))}</title></circle>"
            for entry, place, number in self._rows()
            for x, y in [_point(place)]
        )
        there = Counter(entry.emotion.key for entry in self.entries)
        shown = [one for one in EMOTIONS if there[one.key]]
        legend = "".join(
            f'<g transform="translate({_EDGE + 150 * (n % 5)},{SIZE + 22 + 24 * (n // 5)})">'
            f'<circle r="6" fill="{one.colour}"/><text x="12" y="5">'
            f"{escape(one.zh if language == 'zh' else one.en)} ({there[one.key]})</text></g>"
            for n, one in enumerate(shown)
        )
        height = SIZE + 60
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {height}" '
            f'font-family="sans-serif" font-size="14"><title>{escape(self.title)}</title>'
            f'<rect width="{SIZE}" height="{height}" fill="#fff"/>'
            f'<g fill-opacity="0.75">\n{dots}\n</g>{legend}</svg>\n'
        )

    def html(self, language: Language) -> str:
        """Return a page of its own: coloured as one likes, told at a pointer, played at a click."""
        data = {
            "size": SIZE,
            "points": [self._point_data(*row, language) for row in self._rows()],
            "colours": self._colours(language),
        }
        # Inside a script element: nothing in the data may end it.
        text = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
        values: dict[str, object] = {
            "language": language,
            "title": self.title,
            "data": text,
            "words": {key: one(language) for key, one in MAP.items() if "{" not in one.en},
            "clusters": [self._cluster_words(n, language) for n in range(len(self._clusters))],
            "facts": self.facts(language),
        }
        return render_html("emoscope.vectors", "map.html", values)

    @property
    def _clusters(self) -> Any:
        return self.clustering.clusters

    def _rows(self) -> list[tuple[Entry, Array32, int]]:
        numbers = self.clustering.numbers.tolist()
        return list(zip(self.entries, self.places, numbers, strict=True))

    def _told(self, entry: Entry, number: int, language: Language) -> str:
        emotion = entry.emotion.zh if language == "zh" else entry.emotion.en
        cluster = MAP["cluster_n"](language, number=number) if number else ""
        parts = (entry.name, f"{emotion} {max(entry.scores):.0%}", entry.speaker, entry.label)
        return " · ".join(part for part in (*parts, cluster) if part)

    def _point_data(
        self, entry: Entry, place: Array32, number: int, language: Language
    ) -> dict[str, Any]:
        x, y = _point(place)
        return {
            "x": round(x, 1),
            "y": round(y, 1),
            "told": self._told(entry, number, language),
            "path": entry.path if not entry.run else f"{entry.path}/processed_audio.wav",
            "name": entry.name,
            "emotion": entry.emotion.key,
            "cluster": number,
            "speaker": entry.speaker,
            "label": entry.label,
        }

    def _colours(self, language: Language) -> dict[str, dict[str, tuple[str, str]]]:
        """Colour and word of every value, by what the map may be coloured by."""
        emotions = {e.key: (e.colour, e.zh if language == "zh" else e.en) for e in EMOTIONS}
        clusters = {
            str(one.number): (_colour(n), MAP["cluster_n"](language, number=one.number))
            for n, one in enumerate(self._clusters)
        }
        found: dict[str, dict[str, tuple[str, str]]] = {
            "emotion": {key: one for key, one in emotions.items() if self._has(key)},
            "cluster": {**clusters, "0": (_NONE, MAP["no_cluster"](language))},
        }
        for name in ("speaker", "label"):
            values = sorted({getattr(entry, name) for entry in self.entries} - {""})
            if values:
                found[name] = {value: (_colour(n), value) for n, value in enumerate(values)}
        return found

    def _has(self, emotion: str) -> bool:
        return any(entry.emotion.key == emotion for entry in self.entries)

    def _cluster_words(self, at: int, language: Language) -> dict[str, str]:
        one = self._clusters[at]
        names = {e.key: e.zh if language == "zh" else e.en for e in EMOTIONS}
        emotions = ", ".join(f"{names[key]} {share:.0%}" for key, share in one.emotions)
        leading = [
            f"{word} {share:.0%}" for word, share in (one.leading_speaker, one.leading_label)
        ]
        return {
            "colour": _colour(at),
            "name": MAP["cluster_n"](language, number=one.number),
            "size": str(one.size),
            "emotions": emotions,
            "speakers": f"{one.speakers} ({leading[0]})" if one.speakers else "",
            "label": leading[1] if one.leading_label[0] else "",
            "stability": f"{one.stability:.2f}",
            "nearest": one.nearest.name,
            "farthest": one.farthest.name,
        }

    def facts(self, language: Language) -> list[str]:
        """Return how many groups there are and why, and how recordings were placed, in words."""
        made = self.clustering
        tried = ", ".join(f"{k}: {value:.3f}" for k, value in made.silhouettes.items())
        values: Mapping[str, object] = {
            "count": len(self.entries),
            "clusters": len(made.clusters),
            "method": "k-means" if made.method == "kmeans" else "HDBSCAN",
            "tried": tried,
            "stability": made.stability,
            "placed": self.method,
        }
        scored = "fact_tried" if len(made.silhouettes) > 1 else "fact_silhouette"
        names = ("fact_groups", *((scored,) if tried else ()), "fact_places")
        return [MAP[name](language, **values) for name in names]


def _point(place: Array32) -> tuple[float, float]:
    inner = SIZE / 2 - _EDGE
    return SIZE / 2 + inner * float(place[0]), SIZE / 2 - inner * float(place[1])


def _colour(at: int) -> str:
    return _PALETTE[at % len(_PALETTE)]
