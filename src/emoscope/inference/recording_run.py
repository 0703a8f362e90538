"""Run of the model over one prepared recording: windows, then utterances, then the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emoscope.audio.prepare import PreparedAudio
from emoscope.events import Listener, StepLog
from emoscope.inference.assembly import Assembler
from emoscope.inference.forward import ClipRunner
from emoscope.inference.headed import HeadColumns, infer_recording, recording_cache
from emoscope.inference.utterances import (
    UtteranceInference,
    UtterancePlan,
    recognize_utterances,
)
from emoscope.models.head_file import Head
from emoscope.results.result import Result


@dataclass(frozen=True, slots=True)
class RecordingRun:
    """What one recognition asks of the model, and the parts that do it."""

    forward: ClipRunner
    assembler: Assembler
    heads: Sequence[Head]
    by_frame: bool
    """Look for speech, and put the track, the segments and their summary into the result."""
    embedding: bool
    """Put the frame embeddings into the result."""
    plan: UtterancePlan | None
    """Which utterances to recognize alone; None for none."""
    min_utterance_s: float
    """Shortest span that is recognized, in seconds."""
    checkpoint_dir: Path | None
    """Folder for the outputs of long sound; None: nothing is kept."""

    def result(self, recording: PreparedAudio, listener: Listener) -> Result:
        """Run the model and assemble the result.

        Args:
            recording: decoded and checked.
            listener: called with each finished step and with progress.

        Raises:
            RequestError: a given span lies outside of the sound, or is too short.
            ModelError: the model failed.
            StoreError: the embeddings do not fit into the folder for temporary files.
        """
        log, model = StepLog(listener), self.assembler.model
        columns, spoken = HeadColumns(self.heads, embedding=self.embedding), None
        with recording_cache(
            self.forward,
            recording,
            columns,
            model_sha256=model.sha256,
            checkpoint_dir=self.checkpoint_dir,
        ) as cache:
            with log.timed("infer", model=model.name) as numbers:
                output = infer_recording(
                    cache, recording, columns, by_frame=self.by_frame, listener=listener
                )
                if cache.found:
                    numbers["windows_kept"] = cache.found
                numbers["frames"] = len(output.track)
            if self.plan is not None:
                alone = UtteranceInference(cache, self.assembler, columns)
                least_s = self.min_utterance_s
                spoken = recognize_utterances(
                    recording.waveform, self.plan, alone, log, least_s=least_s
                )
        return self.assembler.result(
            replace(recording, steps=(*recording.steps, *log.steps)),
            output,
            self.heads,
            granularity="frame" if self.by_frame else "utterance",
            utterances=spoken,
        )
