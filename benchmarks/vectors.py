"""Search of emoscope.vectors: how good it is, and how fast, beside numpy, faiss and usearch.

    python benchmarks/vectors.py quality FILE.npz     FILE as train/spaces.py --embeddings makes it
    python benchmarks/vectors.py speed [--rows 100000 1000000]
    python benchmarks/vectors.py maps FILE.npz        projections of the map
    python benchmarks/vectors.py approximate FILE.npz [--rows 1000000] [--folder INDEX]
                                                      LanceDB against exact search, on vectors
                                                      between those of FILE; INDEX is kept
    python benchmarks/vectors.py mechanics MODEL DATA [--clips 60]
                                                      any model from clip to hit, on emodb of DATA

faiss-cpu, usearch, umap-learn and pacmap are measured where they are installed; the package needs
none of them.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.results.result import ModelRef
from emoscope.vectors import Entry, EntryDetails, Index
from emoscope.vectors.facts import IndexFacts
from emoscope.vectors.shipped import shipped_spaces
from emoscope.vectors.spaces import RAW, SPACES
from emoscope.vectors.store import VectorStore

K, DRAWS = 10, 2_000
DIM = 512
Table = dict[str, np.ndarray]
Blocks = Iterator[np.ndarray]


def precision(mapped: np.ndarray, same: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Share of the same emotion among the ten nearest clips that count, by clip.

    Where there are fewer than ten of the same emotion, of so many.
    """
    cosines = np.where(allowed, mapped @ mapped.T, -2.0)
    near = np.argpartition(-cosines, K, axis=1)[:, :K]
    hits = np.take_along_axis(same & allowed, near, axis=1).sum(axis=1)
    return hits / np.clip((same & allowed).sum(axis=1), 1, K)


def macro(values: np.ndarray, emotion: np.ndarray, weight: np.ndarray) -> float:
    """Mean over emotions, each as much as another; weight is how often a clip was drawn."""
    means = []
    for name in np.unique(emotion):
        mine = emotion == name
        if weight[mine].sum():
            means.append(np.average(values[mine], weights=weight[mine]))
    return float(np.mean(means))


def quality(table: Table) -> None:
    """Print precision at ten by corpus and space, with intervals over speakers.

    Twice: among all clips of other speakers, and among those with other words. In ased and savee
    most sentences belong to one emotion, so that the first counts who says the same.
    """
    spaces = {"raw": RAW, **shipped_spaces(str(table["model_sha256"]))}
    agreed = np.array([float(one or 1) >= 0.5 for one in table["rater_agreement"]])
    fair = (table["emotion"] != "") & ((table["corpus"] != "cremad") | agreed)
    plain = np.char.startswith(table["text_id"], "plain")
    fair &= (table["corpus"] != "emotiontts") | plain
    corpora = sorted(set(table["corpus"]), key=lambda one: (one not in _TRAINED, one))
    document: dict[str, Any] = {}
    for words in ("any", "other"):
        print(f"\n{words} words\n")
        print("| corpus | clips / speakers | chance | raw | sound | emotion | emotion - raw |")
        print("|---|---|---|---|---|---|---|")
        means: dict[bool, list[list[float]]] = {True: [], False: []}
        for corpus in corpora:
            mine = fair & (table["corpus"] == corpus) & (table["split"] == "test")
            part = {name: table[name][mine] for name in ("embedding", *_COLUMNS)}
            figures = _of_corpus(part, spaces, other_words=words == "other")
            if figures is None:
                continue
            document[f"{corpus} {words}"] = figures
            cells = [_cell(figures[name], signed=name == "gain") for name in _ORDER]
            mark = "" if corpus in _TRAINED else " *"
            size = f"{mine.sum()} / {len(set(part['speaker']))}"
            print(f"| {corpus}{mark} | {size} | {figures['chance'][0]:.2f} | {' | '.join(cells)} |")
            means[corpus in _TRAINED].append([figures[name][0] for name in _ORDER])
        for is_trained, rows in means.items():
            shown = " | ".join(f"{one:.3f}" for one in np.mean(rows, axis=0))
            print(f"| mean of {'trained' if is_trained else 'foreign'} | | | {shown} |")
    document["another corpus"] = _across(table, fair & (table["split"] == "test"), spaces)
    print(json.dumps(document))


def _across(table: Table, tested: np.ndarray, spaces: Any) -> dict[str, Any]:
    """Print precision among the clips of all other corpora: another voice, room and language."""
    corpus, emotion = table["corpus"][tested], table["emotion"][tested]
    speaker, vectors = table["speaker"][tested], table["embedding"][tested]
    mapped = {name: spaces[name].apply(vectors) for name in SPACES}
    print("\nclips of other corpora\n")
    print("| corpus | raw | sound | emotion | emotion - raw |")
    print("|---|---|---|---|---|")
    document = {}
    for one in sorted(set(corpus), key=lambda name: (name not in _TRAINED, name)):
        mine = corpus == one
        there = np.isin(emotion, np.unique(emotion[~mine]))
        asked = np.flatnonzero(mine & there)
        same = emotion[asked, None] == emotion[~mine]
        found = {}
        for name in SPACES:
            cosines = mapped[name][asked] @ mapped[name][~mine].T
            near = np.argpartition(-cosines, K, axis=1)[:, :K]
            found[name] = np.take_along_axis(same, near, axis=1).mean(axis=1)
        found["gain"] = found["emotion"] - found["raw"]
        rows = {n: interval(v, emotion[asked], speaker[asked]) for n, v in found.items()}
        document[one] = rows
        mark = "" if one in _TRAINED else " *"
        print(
            f"| {one}{mark} | "
            + " | ".join(_cell(rows[n], signed=n == "gain") for n in _ORDER)
            + " |"
        )
    for is_trained in (True, False):
        rows = [
            [document[c][n][0] for n in _ORDER] for c in document if (c in _TRAINED) == is_trained
        ]
        shown = " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
        print(f"| mean of {'trained' if is_trained else 'foreign'} | {shown} |")
    return document


def _of_corpus(part: Table, spaces: Any, *, other_words: bool) -> dict[str, Any] | None:
    emotion, speaker, text = (part[name] for name in _COLUMNS)
    allowed, same = speaker[:, None] != speaker, emotion[:, None] == emotion
    if other_words:
        allowed &= text[:, None] != text
    asked = np.flatnonzero((same & allowed).any(axis=1))
    if (len(set(text)) == 1 and other_words) or not len(asked):
        return None
    found = {n: precision(spaces[n].apply(part["embedding"]), same, allowed) for n in SPACES}
    found["gain"] = found["emotion"] - found["raw"]
    found["chance"] = (same & allowed).sum(axis=1) / np.maximum(allowed.sum(axis=1), 1)
    return {n: interval(one[asked], emotion[asked], speaker[asked]) for n, one in found.items()}


_COLUMNS = ("emotion", "speaker", "text_id")
_TRAINED = ("ravdess", "nemo", "emodb", "indianemo", "cremad")
_ORDER: tuple[str, ...] = ("raw", "sound", "emotion", "gain")


def interval(
    values: np.ndarray, emotion: np.ndarray, speaker: np.ndarray
) -> tuple[float, float, float]:
    """Return the mean over emotions and its 95 % interval, by drawing speakers."""
    rng, names = np.random.default_rng(0), np.unique(speaker)
    place = np.searchsorted(names, speaker)
    middle = macro(values, emotion, np.ones(len(values)))
    drawn = []
    for _ in range(DRAWS):
        counts = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        drawn.append(macro(values, emotion, counts[place].astype(float)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return middle, float(low), float(high)


def _cell(figure: tuple[float, float, float], *, signed: bool) -> str:
    sign = "+" if signed else ""
    return f"{figure[0]:{sign}.3f} [{figure[1]:{sign}.3f}, {figure[2]:{sign}.3f}]"


def maps(table: Table, count: int) -> None:
    """Print how well each projection keeps neighbours, and how long it takes."""
    spaces, rng = shipped_spaces(str(table["model_sha256"])), np.random.default_rng(0)
    tested = np.flatnonzero((table["split"] == "test") & (table["emotion"] != ""))
    chosen = np.sort(rng.choice(tested, min(count, len(tested)), replace=False))
    mapped, emotion = spaces["emotion"].apply(table["embedding"][chosen]), table["emotion"][chosen]
    near = _neighbours(mapped @ mapped.T, 15)
    print(f"| projection of {len(chosen)} clips | of 15 neighbours kept | same emotion near | s |")
    print("|---|---|---|---|")
    for name, project in _PROJECTIONS.items():
        began = time.perf_counter()
        placed = project(mapped)
        if placed is None:
            print(f"| {name} | not installed | | |")
            continue
        took_s = time.perf_counter() - began
        apart = ((placed[:, None] - placed) ** 2).sum(axis=2)
        close = _neighbours(-apart, 15)
        kept = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(near, close, strict=True)])
        alike = (emotion[close] == emotion[:, None]).mean()
        print(f"| {name} | {kept:.3f} | {alike:.3f} | {took_s:.1f} |", flush=True)


def _neighbours(likeness: np.ndarray, count: int) -> np.ndarray:
    np.fill_diagonal(likeness, -np.inf)
    return np.argpartition(-likeness, count, axis=1)[:, :count]


def _pca(mapped: np.ndarray) -> np.ndarray:
    centred = mapped - mapped.mean(axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T


def _tsne(mapped: np.ndarray) -> Any:
    from sklearn.manifold import TSNE

    return TSNE(init="pca", random_state=0).fit_transform(mapped)


def _umap(mapped: np.ndarray) -> Any:
    module = _installed("umap")
    return None if module is None else module.UMAP(random_state=0).fit_transform(mapped)


def _pacmap(mapped: np.ndarray) -> Any:
    module = _installed("pacmap")
    return None if module is None else module.PaCMAP(random_state=0).fit_transform(mapped)


_PROJECTIONS: dict[str, Any] = {"PCA": _pca, "t-SNE": _tsne, "UMAP": _umap, "PaCMAP": _pacmap}


def speed(sizes: list[int], dtype: str) -> None:
    """Print time a query, build rate and memory, and check that all answers are the same."""
    print("| rows | what | build, rows/s | first query, s | query, ms (median; worst) | RSS, MB |")
    print("|---|---|---|---|---|---|")
    for rows in sizes:
        for name in (*(f"emoscope {one}" for one in SPACES), "numpy", "faiss flat", "usearch"):
            run(name, rows, dtype)


def run(name: str, rows: int, dtype: str) -> None:
    """Measure one kind of search in a process of its own, for the memory to be its own."""
    import subprocess

    words = [sys.executable, __file__, "one", name, str(rows), dtype]
    subprocess.run(words, check=False)


def one(name: str, rows: int, dtype: str) -> None:
    """Measure one kind of search and print a row of the table."""
    rng = np.random.default_rng(0)
    queries = rng.standard_normal((25, DIM)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        search = _KINDS[name.split()[0]](name, _vectors(rows), rows, Path(folder), dtype)
        if search is None:
            print(f"| {rows} | {name} | not installed | | | |")
            return
        built = rows / (time.perf_counter() - began)
        began = time.perf_counter()
        search(queries[0], K)
        first_s, times = time.perf_counter() - began, []
        for query in queries[1:]:
            began = time.perf_counter()
            search(query, K)
            times.append(1000 * (time.perf_counter() - began))
        rss, worst = _rss_mb(), max(times)
        figures = f"{built:,.0f} | {first_s:.2f} | {np.median(times):.1f}; {worst:.1f} | {rss:,.0f}"
        print(f"| {rows} | {name} | {figures} |", flush=True)


def approximate(table: Table, rows: int, folder: Path, spaces: list[str]) -> None:
    """Print recall and times of approximate search, in the same run as exact search."""
    if not folder.exists():
        began = time.perf_counter()
        _realistic_index(table, rows, folder)
        print(f"index of {rows} vectors made in {time.perf_counter() - began:.0f} s", flush=True)
    asked = np.random.default_rng(5).permutation(len(table["embedding"]))[:50]
    queries = list(_between(table, len(asked), 6))
    heads = ("rows", "space", "built, s", "MB", "partitions: looked into", "recall@10: mean; 5 %")
    print("| " + " | ".join((*heads, "other queries", "first, s", "ms", "exact: first, s", "ms")))
    print("|---" * 11 + "|")
    for space in spaces:
        with Index.open(folder) as index:
            began = time.perf_counter()
            facts = index.build_approximate(space)
            built_s = time.perf_counter() - began
        made = sum(one.stat().st_size for one in (folder / "approximate").rglob(f"{space}-*/**/*"))
        clips = facts.tables["clip"]
        cells = [f"{clips.rows} | {space} | {built_s:.0f} | {made / 1e6:.0f}"]
        cells.append(f"{clips.partitions}: {clips.probes}")
        cells.append(f"{clips.recall.mean:.3f}; {clips.recall.worst:.2f}")
        answers, times = {}, {}
        for near in (True, False):
            with Index.open(folder) as index:
                answers[near], times[near] = [], []
                for query in queries:
                    began = time.perf_counter()
                    hits = index.search(query, space=space, approximate=near)
                    times[near].append(time.perf_counter() - began)
                    answers[near].append({hit.entry.id for hit in hits})
        both = zip(answers[True], answers[False], strict=True)
        cells.append(f"{np.mean([len(a & b) / len(b) for a, b in both]):.3f}")
        cells += [
            f"{times[near][0]:.2f} | {1000 * np.median(times[near][1:]):.1f}"
            for near in (True, False)
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


def mechanics(model: str, data: Path, clips: int) -> None:
    """Print what any model does from clip to hit; of one with random weights, mechanics only."""
    from emoscope.recognizer import load

    with (data / "clips.csv").open(encoding="utf-8", newline="") as file:
        rows = [one for one in csv.DictReader(file) if one["corpus"] == "emodb"]
    rows = [one for one in rows if one["split"] == "test"]
    rows = rows[:: max(1, len(rows) // clips)][:clips]
    recognizer = load(model)
    with tempfile.TemporaryDirectory() as folder, tarfile.open(data / "emodb.tar") as archive:
        began, index = time.perf_counter(), None
        for row in rows:
            member = archive.extractfile(row["path"])
            assert member is not None
            result = recognizer.recognize(member.read(), embedding=True, name=row["path"])
            index = index or Index.create(Path(folder) / "index", like=result)
            index.add(result, EntryDetails(row["path"], "", row["speaker"], row["emotion"]))
        assert index is not None
        took = (time.perf_counter() - began) / len(rows)
        print(
            f"{model}: {len(index)} of {len(rows)} clips, {index.facts.dim} numbers, {took:.2f} s"
        )
        print("| space | made of | usual cosine: 50 %; 99 % | precision@10 | chance | query, ms |")
        print("|---|---|---|---|---|---|")
        for space in SPACES:
            entries, mapped = index.mapped(space)
            speaker, emotion = (np.array([getattr(e, n) for e in entries]) for n in _KNOWN)
            allowed, same = speaker[:, None] != speaker, emotion[:, None] == emotion
            values = precision(mapped, same, allowed)
            chance = (same & allowed).sum(axis=1) / allowed.sum(axis=1)
            began = time.perf_counter()
            assert len(index.search(index.store.vectors(np.array([0]))[0], space=space)) == K
            ms, used = 1000 * (time.perf_counter() - began), index.space(space)
            usual = used.usual_cosines()
            print(
                f"| {space} | {used.origin} | {usual['50%']:.3f}; {usual['99%']:.3f} "
                f"| {values.mean():.3f} | {chance.mean():.3f} | {ms:.1f} |"
            )


_KNOWN = ("speaker", "label")


def _between(table: Table, rows: int, seed: int) -> Blocks:
    """Yield vectors between two clips of the same corpus, near the first."""
    rng, own = np.random.default_rng(seed), table["embedding"]
    order = np.argsort(table["corpus"], kind="stable")
    for _ in range(rows):
        place = int(rng.integers(0, len(order) - 100))
        one, other = order[place], order[place + int(rng.integers(1, 100))]
        share = rng.uniform(0, 0.5)
        yield ((1 - share) * own[one] + share * own[other]).astype(np.float32)


def _realistic_index(table: Table, rows: int, folder: Path) -> None:
    from emoscope.recognizer import load

    facts = IndexFacts.of(load("compact").model, table["embedding"].shape[1])
    plain = Entry(name="", sha256="", start_s=0.0, end_s=1.0, scores=(1.0, *(0.0,) * 8))
    with VectorStore.create(folder, facts) as store:
        block = []
        for number, vector in enumerate(_between(table, rows, 1), start=1):
            block.append((replace(plain, name=str(number), sha256=f"{number:x}"), vector))
            if len(block) == 20_000 or number == rows:
                store.add(block)
                block = []


def _vectors(rows: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(1)
    for first in range(0, rows, 10_000):
        yield rng.standard_normal((min(10_000, rows - first), DIM)).astype(np.float32)


def _emoscope(name: str, vectors: Blocks, _rows: int, folder: Path, dtype: str) -> Any:
    from emoscope.recognizer import load

    model = load("compact").model if name != "emoscope raw" else ModelRef("m", "1", "0" * 64)
    plain = Entry(name="", sha256="", start_s=0.0, end_s=1.0, scores=(1.0, *(0.0,) * 8))
    store = VectorStore.create(folder / "index", IndexFacts.of(model, DIM, dtype))
    number = 0
    for block in vectors:
        named = []
        for vector in block:
            number += 1
            named.append((replace(plain, name=str(number), sha256=f"{number:x}"), vector))
        store.add(named)
    index, space = Index(store), name.split()[1]
    return lambda query, count: index.search(query, count=count, space=space)


def _numpy(_name: str, vectors: Blocks, rows: int, _folder: Path, _dtype: str) -> Any:
    table = _unit_table(vectors, rows)

    def search(query: np.ndarray, count: int) -> np.ndarray:
        cosines = table @ (query / np.linalg.norm(query))
        near = np.argpartition(-cosines, count)[:count]
        return near[np.argsort(-cosines[near])]

    return search


def _faiss(_name: str, vectors: Blocks, _rows: int, _folder: Path, _dtype: str) -> Any:
    faiss = _installed("faiss")
    if faiss is None:
        return None
    index = faiss.IndexFlatIP(DIM)
    for block in vectors:
        index.add(block / np.linalg.norm(block, axis=1, keepdims=True))
    return lambda query, count: index.search((query / np.linalg.norm(query))[None], count)


def _usearch(_name: str, vectors: Blocks, rows: int, _folder: Path, _dtype: str) -> Any:
    module = _installed("usearch.index")
    if module is None:
        return None
    table = _unit_table(vectors, rows)
    metric = module.MetricKind.IP

    def search(query: np.ndarray, count: int) -> Any:
        return module.search(table, query / np.linalg.norm(query), count, metric, exact=True)

    return search


def _unit_table(vectors: Blocks, rows: int) -> np.ndarray:
    table, at = np.empty((rows, DIM), np.float32), 0
    for block in vectors:
        table[at : at + len(block)] = block / np.linalg.norm(block, axis=1, keepdims=True)
        at += len(block)
    return table


def _installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _rss_mb() -> float:
    """Memory of this process that is its own, and the largest that there was."""
    status = Path("/proc/self/status").read_text().split("\n")
    kept = next(line for line in status if line.startswith("RssAnon"))
    return int(kept.split()[1]) / 1024


_KINDS: dict[str, Any] = {
    "emoscope": _emoscope,
    "numpy": _numpy,
    "faiss": _faiss,
    "usearch": _usearch,
}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    kinds = parser.add_subparsers(dest="what", required=True)
    kinds.add_parser("quality").add_argument("file", type=Path)
    drawn = kinds.add_parser("maps")
    drawn.add_argument("file", type=Path)
    drawn.add_argument("--count", type=int, default=2_000)
    fast = kinds.add_parser("speed")
    fast.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    fast.add_argument("--dtype", default="float32", choices=["float32", "float16"])
    worked = kinds.add_parser("mechanics")
    worked.add_argument("model")
    worked.add_argument("data", type=Path)
    worked.add_argument("--clips", type=int, default=60)
    near = kinds.add_parser("approximate")
    near.add_argument("file", type=Path)
    near.add_argument("--rows", type=int, default=1_000_000)
    near.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "near.index")
    near.add_argument("--spaces", nargs="+", default=list(SPACES))
    single = kinds.add_parser("one")
    for name in ("name", "rows", "dtype"):
        single.add_argument(name)
    given = parser.parse_args()
    if given.what in ("quality", "maps", "approximate"):
        with np.load(given.file, allow_pickle=False) as data:
            table = {name: data[name] for name in data}
        if given.what == "approximate":
            approximate(table, given.rows, given.folder, given.spaces)
        else:
            quality(table) if given.what == "quality" else maps(table, given.count)
    elif given.what == "mechanics":
        mechanics(given.model, given.data, given.clips)
    elif given.what == "speed":
        speed(given.rows, given.dtype)
    else:
        one(given.name, int(given.rows), given.dtype)


if __name__ == "__main__":
    main()
