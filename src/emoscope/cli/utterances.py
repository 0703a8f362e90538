"""Plan of utterances for the recordings of one command: rules, or a file of spans."""

from __future__ import annotations

from dataclasses import dataclass, field

from emoscope.errors import ListError
from emoscope.lists.spans import SpanFile
from emoscope.messages.reasons import reason
from emoscope.results.utterances import GivenSpan, UtteranceRules


@dataclass(slots=True)
class SpanPlan:
    """Rules of pauses, or a file of spans, for the recordings of one command."""

    rules: UtteranceRules
    file: SpanFile | None = None
    """None to cut at pauses."""
    _used_for: set[str] = field(default_factory=set, init=False)

    def of(self, recording: str) -> UtteranceRules | tuple[GivenSpan, ...]:
        """Return the plan for a recording.

        Args:
            recording: its file's name.

        Raises:
            ListError: the file has no spans of it, or does not say whose they are.
            RequestError: two of its spans overlap.
        """
        if self.file is None:
            return self.rules
        self._used_for.add(recording)
        if len(self._used_for) > 1 and not self.file.names_recordings:
            raise ListError(
                "spans_unreadable", name=self.file.name, line=1, **reason("spans_of_one")
            )
        return self.file.spans_of(recording)
