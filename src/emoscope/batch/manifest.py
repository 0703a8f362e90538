"""Manifest of a batch's output: the input, the options, the model and the shards it is made of.

It is written before the first part. A run that finds one goes on with the shards whose parts are
missing, if everything in it is as now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from emoscope.batch.options import BatchOptions
from emoscope.batch.parts import FORMAT, FORMAT_VERSION, SIDES
from emoscope.batch.plan import BatchPlan
from emoscope.batch.shards import ShardCut, part_name
from emoscope.batch.storage import BatchStorage
from emoscope.errors import StoreError
from emoscope.recognizer import Recognizer

MANIFEST = "manifest.json"
_COMPARED = ("input", "options", "cut", "model", "heads", "versions")
"""What must be as it was for a run to go on."""


@dataclass(frozen=True, slots=True)
class BatchManifest:
    """Content of ``manifest.json``."""

    data: Mapping[str, Any]

    @classmethod
    def of(
        cls, plan: BatchPlan, options: BatchOptions, cut: ShardCut, recognizer: Recognizer
    ) -> Self:
        """Return the manifest of a run.

        Args:
            plan: the input in shards.
            options: what is written of each recording.
            cut: how the input was cut.
            recognizer: of the model and the heads that every worker loads.
        """
        first, shards = 0, []
        for index, size in enumerate(plan.sizes):
            shards.append({"part": part_name(index), "first_row": first, "rows": size})
            first += size
        columns = [[one.source, one.name, one.kind] for one in plan.columns]
        model = recognizer.model
        data = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "input": {"sha256": plan.digest, "rows": plan.rows, "columns": columns},
            "options": options.to_dict(),
            "cut": {"size": cut.size, "hours": cut.hours},
            "model": {**model.to_dict(), "embedding_size": recognizer.dim},
            "heads": [{"name": one.name, "sha256": one.sha256} for one in recognizer.heads],
            "versions": dict(recognizer.assembler.versions),
            "shards": shards,
        }
        return cls(json.loads(json.dumps(data)))

    @classmethod
    def read(cls, storage: BatchStorage) -> Self | None:
        """Read the manifest of an output; None where there is none.

        Raises:
            StoreError: it is damaged, or of another version of the format.
        """
        try:
            data = json.loads(storage.read(MANIFEST))
            if data["format"] != FORMAT:
                raise ValueError(data["format"])
            version = int(data["format_version"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as exc:
            reason = f"{type(exc).__name__}: {exc}"[:120]
            raise StoreError("batch_out_damaged", out=storage.address, reason=reason) from exc
        if version != FORMAT_VERSION:
            raise StoreError(
                "batch_out_version", out=storage.address, found=version, known=FORMAT_VERSION
            )
        return cls(data)

    def write(self, storage: BatchStorage) -> None:
        """Write it.

        Raises:
            StoreError: it cannot be written.
        """
        text = json.dumps(self.data, ensure_ascii=False, indent=1) + "\n"
        with storage.writing(MANIFEST) as file:
            file.write(text.encode("utf-8", "backslashreplace"))

    def changes(self, other: Self) -> list[str]:
        """Return the names of what is different in another manifest, as ``options.segments``."""
        found = []
        for part in _COMPARED:
            mine, theirs = self.data.get(part), other.data.get(part)
            if mine == theirs:
                continue
            if isinstance(mine, dict) and isinstance(theirs, dict):
                names = sorted(mine.keys() | theirs.keys())
                changed = [name for name in names if mine.get(name) != theirs.get(name)]
                found += [f"{part}.{name}" for name in changed]
            else:
                found.append(part)
        return found


def open_output(storage: BatchStorage, manifest: BatchManifest, *, fresh: bool) -> set[int]:
    """Make an output ready and return the shards that it lacks.

    Args:
        storage: of the output, which is locked.
        manifest: of this run.
        fresh: remove what an earlier run of any input has written.

    Raises:
        StoreError: there are other files, results of another input, options or model, or of
            another version; or it cannot be written.
    """
    names = storage.names()
    there = _known_output(storage, names, fresh=fresh)
    if there is not None and fresh:
        remove_output(storage, names)
        there, names = None, []
    if there is None:
        manifest.write(storage)
    elif changed := there.changes(manifest):
        raise StoreError("batch_out_changed", out=storage.address, what=", ".join(changed))
    done = set(names)
    shards: Sequence[Mapping[str, Any]] = manifest.data["shards"]
    return {index for index, shard in enumerate(shards) if shard["part"] not in done}


def _known_output(storage: BatchStorage, names: list[str], *, fresh: bool) -> BatchManifest | None:
    """Return the manifest that is there, and refuse a place with files of others."""
    try:
        there = BatchManifest.read(storage)
    except StoreError as error:
        if not fresh or error.code != "batch_out_damaged":
            raise
        there = BatchManifest({})
    if there is None and names:
        found = ", ".join(names[:3])
        raise StoreError("batch_out_foreign", out=storage.address, found=found)
    return there


def remove_output(storage: BatchStorage, names: Sequence[str]) -> None:
    """Remove what a batch has written; other files stay. The manifest is the last.

    Raises:
        StoreError: the system refuses.
    """
    starts = tuple(f"{kind}-" for kind in ("part", *SIDES))
    for name in names:
        if name.startswith(starts) and name.endswith(".parquet"):
            storage.remove(name)
    storage.remove(MANIFEST)
