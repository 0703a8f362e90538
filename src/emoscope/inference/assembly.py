"""Assembly of answers: the model's outputs, its calibration and abstention to result types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from emoscope.audio.prepare import PreparedAudio
from emoscope.audio.quality import check_quality
from emoscope.inference.headed import RecordingOutput, adapted
from emoscope.models.head_file import Head
from emoscope.paths.choices import Granularity
from emoscope.results.abstention import AbstentionThresholds, abstention_reasons
from emoscope.results.calibrated import LabelSet
from emoscope.results.calibration import Calibration
from emoscope.results.result import ModelRef, Result
from emoscope.results.utterances import GivenSpan, Utterance, UtteranceSet
from emoscope.waveform import Waveform


@dataclass(frozen=True, slots=True)
class Assembler:
    """Makes results and utterances of scores, by one model's card and one set of thresholds."""

    model: ModelRef
    calibration: Calibration | None
    """None for a model without one."""
    thresholds: AbstentionThresholds
    now: Callable[[], datetime]
    versions: Mapping[str, str]
    """Of the libraries that decoded and computed."""

    def result(
        self,
        recording: PreparedAudio,
        output: RecordingOutput,
        heads: Sequence[Head],
        *,
        granularity: Granularity,
        utterances: UtteranceSet | None = None,
    ) -> Result:
        """Assemble the result of a recording.

        Args:
            recording: the prepared recording; its steps become the log of the result.
            output: logits and speech of all frames, one row per 20 ms of the medium, and more.
            heads: those of corrections change the nine scores.
            granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
            utterances: utterances to put into the result; none by default.
        """
        track, adaptation = adapted(output.track, heads)
        waveform, sound_s, scores = recording.waveform, recording.sound.duration_s, track.utterance
        by_frame, missing = granularity == "frame", waveform.missing
        segments = track.segments(waveform.duration_s) if by_frame else ()
        return Result(
            source=recording.source,
            created=self.now(),
            duration_s=waveform.duration_s,
            granularity=granularity,
            scores=scores,
            quality=recording.quality,
            model=self.model,
            track=track if by_frame else None,
            segments=segments,
            summary=track.summary(segments, waveform.duration_s, missing) if by_frame else None,
            utterance_set=utterances,
            embedding=output.embedding,
            calibrated=self.calibration.apply(scores) if self.calibration is not None else None,
            abstain=abstention_reasons(recording.quality, sound_s, scores, self.thresholds),
            missing=missing,
            steps=recording.steps,
            versions=dict(self.versions),
            heads=output.heads,
            adaptation=adaptation,
        )

    def utterance(
        self, span: GivenSpan, sound: Waveform, output: RecordingOutput, heads: Sequence[Head]
    ) -> Utterance:
        """Assemble an utterance: what the result of its sound alone would say.

        Args:
            span: where it lies in the recording, with its text and id.
            sound: its sound at 16 kHz, without missing spans.
            output: model outputs of that sound.
            heads: those of corrections change the nine scores.
        """
        track, _ = adapted(output.track, heads)
        scores, quality = track.utterance, check_quality(sound)
        sure = None if self.calibration is None else self.calibration.apply(scores)
        return Utterance(
            start_s=span.start_s,
            end_s=span.end_s,
            emotion=scores.top,
            confidence=scores.confidence,
            confidence_calibrated=None if sure is None else sure.confidence,
            label_set=None if sure is None else LabelSet(sure.coverage, sure.label_set),
            scores=scores,
            heads={one.name: one.scores for one in output.heads},
            abstain=abstention_reasons(quality, sound.duration_s, scores, self.thresholds),
            text=span.text,
            id=span.id,
        )
