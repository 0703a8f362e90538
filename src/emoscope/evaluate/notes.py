"""Notes of an evaluation: what must be said beside its figures, and how loudly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from emoscope.evaluate.bootstrap import FEW_SPEAKERS, LEVEL, Resampling
from emoscope.evaluate.evaluation import Evaluation
from emoscope.evaluate.leaks import Leak
from emoscope.evaluate.provenance import TrainingOverlap
from emoscope.messages.evaluation import EVALUATION_NOTES
from emoscope.messages.languages import Language

NoteLevel: TypeAlias = Literal["stamp", "warning", "note"]
"""``stamp``: the figures must not be quoted."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class EvaluationNote:
    """One sentence beside the figures."""

    level: NoteLevel
    code: str
    """Key of the sentence in ``messages.evaluation``."""
    data: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: Language) -> str:
        """Return the sentence."""
        return EVALUATION_NOTES[self.code](language, **self.data)


def evaluation_notes(evaluation: Evaluation) -> tuple[EvaluationNote, ...]:
    """Return what must be said of an evaluation, the loudest first."""
    training, leak = evaluation.training, evaluation.leak
    found = [] if training is None else list(_of_training(training, leak is not None))
    found += [] if leak is None else list(_of_leak(leak))
    found += interval_notes(evaluation.measured.resampling)
    if evaluation.repeats:
        names = ", ".join(evaluation.repeats[:_SHOWN])
        more = " …" if evaluation.repeats[_SHOWN:] else ""
        data = {"count": len(evaluation.repeats), "names": names + more}
        found.append(EvaluationNote("warning", "repeated", data))
    order = ("stamp", "warning", "note")
    return tuple(sorted(found, key=lambda note: order.index(note.level)))


def _of_training(training: TrainingOverlap, has_list: bool) -> Iterator[EvaluationNote]:
    corpora = {"corpora": ", ".join(training.corpora)}
    if training.found:
        counts = {"speakers": len(training.speakers), "files": len(training.files)}
        yield EvaluationNote("stamp", "trained_on", counts)
    if training.chosen:
        yield EvaluationNote("warning", "chosen_on", {"files": len(training.chosen)})
    if training.known == "nothing":
        if not has_list:
            yield EvaluationNote("warning", "leak_unknown")
    elif training.known == "corpora":
        code = "corpora_may_be_known" if training.corpora else "training_unknown"
        yield EvaluationNote("warning", code, corpora if training.corpora else {})
    else:
        if training.corpora and not training.found:
            yield EvaluationNote("note", "corpora_known", corpora)
        if training.nameless:
            data = {"count": training.nameless}
            yield EvaluationNote("warning", "training_speakers_unknown", data)
        if not training.found:
            yield EvaluationNote("note", "not_trained_on", dict(training.record))


def _of_leak(leak: Leak) -> Iterator[EvaluationNote]:
    if leak.found:
        counts = {"speakers": len(leak.speakers), "files": len(leak.files)}
        yield EvaluationNote("stamp", "leak", counts)
    elif leak.named:
        yield EvaluationNote("note", "no_leak", {"texts": len(leak.texts)})
    if not leak.named:
        yield EvaluationNote("warning", "speakers_not_checked")
    elif leak.nameless:
        yield EvaluationNote("warning", "some_speakers_not_checked", {"count": leak.nameless})
    if leak.unreadable:
        yield EvaluationNote("warning", "files_not_compared", {"count": leak.unreadable})


def interval_notes(drawn: Resampling) -> Iterator[EvaluationNote]:
    """Yield what must be said of intervals: what was drawn, and where that is too little."""
    if drawn.units < 2:
        yield EvaluationNote("warning", "one_speaker")
        return
    data = {
        "level": 100 * LEVEL,
        "speakers": drawn.speakers,
        "clips": drawn.nameless,
        "draws": drawn.draws,
        "seed": drawn.seed,
    }
    if not drawn.speakers:
        yield EvaluationNote("warning", "brackets_of_clips", data)
        return
    if drawn.units < FEW_SPEAKERS:
        yield EvaluationNote("warning", "few_speakers", {"speakers": drawn.units})
    code = "brackets_with_nameless" if drawn.nameless else "brackets"
    yield EvaluationNote("note", code, data)
