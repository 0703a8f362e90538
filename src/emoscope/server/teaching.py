"""Teaching of a server: the adopted head of corrections, and what a new one would change."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from emoscope.errors import EmoscopeError, HeadError
from emoscope.models.head_file import Head
from emoscope.outputs.store import RunStore
from emoscope.outputs.teaching import (
    UNCORRECTED_SAMPLE,
    AdoptedHeads,
    ChangedAnswer,
    changed_answers,
    taught_runs,
)
from emoscope.recognizer import Recognizer
from emoscope.vectors.corrections import (
    LEAST_CORRECTIONS,
    LEAST_RECORDINGS,
    CorrectionReport,
    check_corrections_help,
    train_corrections,
)

TAUGHT_NAME = "corrections"
"""Name of a head that was adopted on a server."""
_log = logging.getLogger("emoscope.server")


@dataclass(frozen=True, slots=True)
class TeachingPreview:
    """What there is to learn from, and what the head made of it would change."""

    corrections: int
    recordings: int
    other_model: int
    """Corrected runs of another model; they teach nothing."""
    head: Head | None
    """None with too few corrections."""
    report: CorrectionReport | None
    changed: tuple[ChangedAnswer, ...] = ()
    looked_at: int = 0
    """Uncorrected runs, the newest, that the change was tried on."""
    least: int = LEAST_CORRECTIONS
    least_recordings: int = LEAST_RECORDINGS
    sample: int = UNCORRECTED_SAMPLE


class Teaching:
    """Adopted head of a server, and its changes; thread-safe.

    Args:
        store: the outputs folder.
        recognizer: the loaded model; an adopted head of another one is left aside.
    """

    def __init__(self, store: RunStore, recognizer: Recognizer) -> None:
        self._adopted = AdoptedHeads(store)
        self._model, card = recognizer.model, recognizer.card
        calibration = None if card is None else card.calibration
        self._temperature = 1.0 if calibration is None else calibration.temperature
        self._lock = threading.Lock()
        self._heads: tuple[Head, ...] = ()
        try:
            self._heads = self._adopted.heads()
        except EmoscopeError as error:
            _log.warning("%s [%s]", error, error.code)

    @property
    def head(self) -> Head | None:
        """The head in force; None without one, or where it is of another model."""
        head = self._heads[-1] if self._heads else None
        return head if head is not None and head.model.sha256 == self._model.sha256 else None

    @property
    def earlier(self) -> int:
        """How many heads were adopted before the one in force."""
        return max(0, len(self._heads) - 1)

    def preview(self, store: RunStore) -> TeachingPreview:
        """Train on the corrections of a store and say what would change; nothing is kept.

        Args:
            store: the runs that the asking one may see.
        """
        taught = taught_runs(store, self._model)
        changed = [one for one in taught.segments if one.is_changed]
        counts = len(changed), len({one.recording for one in changed})
        try:
            head, report = train_corrections(
                TAUGHT_NAME, taught.segments, self._model, temperature=self._temperature
            )
        except HeadError:
            return TeachingPreview(*counts, taught.other_model, None, None)
        answers, looked_at = changed_answers(store, head)
        return TeachingPreview(*counts, taught.other_model, head, report, tuple(answers), looked_at)

    def adopt(self, store: RunStore, sha256: str) -> Head:
        """Let the head that was shown be in force.

        Args:
            store: the runs that the asking one may see.
            sha256: of the head that ``preview`` showed.

        Raises:
            HeadError: there are too few corrections, or they have changed since, or the head is
                not better.
            StoreError: it cannot be written.
        """
        with self._lock:
            taught = taught_runs(store, self._model)
            head, report = train_corrections(
                TAUGHT_NAME, taught.segments, self._model, temperature=self._temperature
            )
            if head.sha256 != sha256:
                raise HeadError("teaching_changed")
            check_corrections_help(report)
            self._adopted.adopt(head)
            self._heads = self._adopted.heads()
        return head

    def undo(self) -> None:
        """Go back to the head before the one in force, or to the model's own answers.

        Raises:
            StoreError: it cannot be written.
        """
        with self._lock:
            self._adopted.undo()
            self._heads = self._adopted.heads()
