from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from emoscope.errors import ExtraMissingError, VectorIndexError
from emoscope.vectors import Entry
from emoscope.vectors.cluster import cluster_entries
from emoscope.vectors.map import RecordingMap
from emoscope.vectors.projection import project

NAMES = ("angry", "happy", "sad")


def groups(sizes=(30, 20, 10), spread: float = 0.05) -> tuple[list[Entry], np.ndarray]:
    """Vectors of length 1 around as many directions, each with an emotion of its own."""
    rng, rows, entries = np.random.default_rng(0), [], []
    for number, size in enumerate(sizes):
        rows.append(np.eye(8)[number] + spread * rng.standard_normal((size, 8)))
        for at in range(size):
            scores = [0.0] * 9
            scores[(0, 3, 6)[number % 3]] = 1.0
            name = f"{number}-{at}.wav"
            speaker = f"voice {at % 4}"
            entries.append(
                Entry(
                    name=name,
                    sha256=name,
                    start_s=0,
                    end_s=1,
                    scores=tuple(scores),
                    speaker=speaker,
                )
            )
    mapped = np.concatenate(rows).astype(np.float32)
    return entries, mapped / np.linalg.norm(mapped, axis=1, keepdims=True)


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_groups_that_are_there_are_found(method) -> None:
    entries, mapped = groups()

    made = cluster_entries(entries, mapped, index="ix", method=method)

    assert [one.size for one in made.clusters] == [30, 20, 10]
    assert [one.emotions for one in made.clusters] == [((name, 1.0),) for name in NAMES]
    assert made.stability > 0.95
    assert min(one.stability for one in made.clusters) > 0.9
    assert made.clusters[0].speakers == 4
    names = {entry.name for entry, n in zip(entries, made.numbers, strict=True) if n == 1}
    assert {made.clusters[0].nearest.name, made.clusters[0].farthest.name} <= names


def test_the_number_has_the_largest_silhouette_or_is_given() -> None:
    entries, mapped = groups()

    made = cluster_entries(entries, mapped, index="ix")
    assert max(made.silhouettes, key=made.silhouettes.get) == len(made.clusters) == 3
    given = cluster_entries(entries, mapped, index="ix", count=5)
    assert len(given.clusters) == 5
    assert given.stability < made.stability


def test_groups_that_are_not_there_are_not_stable() -> None:
    entries, mapped = groups((60,), spread=1.0)

    assert cluster_entries(entries, mapped, index="ix").stability < 0.8


def test_too_few_recordings_are_told() -> None:
    entries, mapped = groups((4,))
    with pytest.raises(VectorIndexError) as caught:
        cluster_entries(entries, mapped, index="ix")
    assert (caught.value.code, caught.value.data["least"]) == ("clusters_too_few", 6)


def test_places_are_the_same_each_time_and_keep_neighbours() -> None:
    _, mapped = groups()
    for most, method in ((5_000, "t-SNE"), (10, "PCA")):
        places, said = project(mapped, most=most)
        again, _ = project(mapped, most=most)
        assert said == method
        assert np.array_equal(places, again)
        assert np.abs(places).max() == pytest.approx(1.0)
        apart = np.linalg.norm(places[:, None] - places, axis=2)
        np.fill_diagonal(apart, np.inf)
        group = np.repeat([0, 1, 2], [30, 20, 10])
        assert (group[apart.argmin(axis=1)] == group).mean() > 0.95


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_anything_is_placed_too(count) -> None:
    places, _ = project(np.eye(4, dtype=np.float32)[:count])

    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


@pytest.fixture
def drawn() -> RecordingMap:
    entries, mapped = groups()
    bad = "</script><b>&\"' 文件"
    entries[0] = replace(entries[0], name=bad, label=bad, path="/a b/ü.wav")
    made = cluster_entries(entries, mapped, index="ix")
    return RecordingMap(f"Map {bad}", entries, *project(mapped), made)


def test_the_table_has_a_row_for_each_recording(drawn) -> None:
    rows = list(csv.DictReader(io.StringIO(drawn.clusters_csv())))

    assert len(rows) == 60
    assert rows[0]["name"] == drawn.entries[0].name
    assert {row["cluster"] for row in rows} == {"1", "2", "3"}
    assert all(-1 <= float(row["x"]) <= 1 for row in rows)


def test_the_page_is_coloured_by_what_the_index_knows(drawn) -> None:
    page = drawn.html("en")
    data = json.loads(page.split("const data = ", 1)[1].split(";\n", 1)[0])

    assert set(data["colours"]) == {"emotion", "cluster", "speaker", "label"}
    assert list(data["colours"]["speaker"]) == [f"voice {n}" for n in range(4)]
    assert len({colour for colour, _ in data["colours"]["speaker"].values()}) == 4
    assert {point["speaker"] for point in data["points"]} == set(data["colours"]["speaker"])
    plain = replace(drawn, entries=[replace(e, speaker="", label="") for e in drawn.entries])
    assert '"speaker": {"' not in plain.html("en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_picture_is_well_formed(drawn, language) -> None:
    tree = ET.fromstring(drawn.svg(language))  # noqa: S314 - ours
    space = "{http://www.w3.org/2000/svg}"

    assert (
        len([c for c in tree.iter(f"{space}circle") if c.find(f"{space}title") is not None]) == 60
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_holds_names_as_text_only(drawn, language) -> None:
    page = drawn.html(language)
    (data,) = re.findall(r"const data = (.*);\n", page)

    assert json.loads(data)["points"][0]["name"] == drawn.entries[0].name
    assert page.count("</script>") == 1
    assert "<b>" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_without_scikit_learn_the_line_to_type_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(ExtraMissingError, match=r"emoscope\[vectors\]"):
        cluster_entries(*groups(), index="ix")


def test_search_loads_no_scikit_learn() -> None:
    code = "import sys, emoscope.vectors.index, emoscope.vectors.map; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "sklearn" not in ran.stdout.split()
