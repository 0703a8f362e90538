"""Agreement of a model variant with the exact model: figures and thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from emoscope.results.json_type import JsonType

MIN_COSINE = 0.998
MAX_SCORE_DIFFERENCE = 0.05


@dataclass(frozen=True, slots=True)
class AgreementThresholds:
    """Thresholds that a variant has to reach before it is used."""

    min_cosine: float = MIN_COSINE
    max_score_difference: float = MAX_SCORE_DIFFERENCE


AGREEMENT_THRESHOLDS = AgreementThresholds()


@dataclass(frozen=True, slots=True)
class Agreement(JsonType):
    """How near a rounded variant was to the exact model on the built-in recordings."""

    clips: int
    same_top: int
    """Clips with the same emotion in front."""
    cosine: float
    """Between the frame embeddings, mean over all frames of all clips."""
    lowest_cosine: float
    """Of the clip with the lowest mean."""
    score_difference: float
    """The largest of any emotion in any clip."""
    speedup: float
    """CPU seconds of the exact model by those of the variant, on the machine that compared."""

    def failures(self, thresholds: AgreementThresholds) -> list[str]:
        """What stays below the bar, as figures that need no language; empty if all is well."""
        found = []
        # Written so that NaN fails.
        if not self.cosine >= thresholds.min_cosine:
            found.append(f"cosine {self.cosine:.4f} < {thresholds.min_cosine:g}")
        if not (self.clips and self.same_top == self.clips):
            found.append(f"top-1 {self.same_top}/{self.clips}")
        if not self.score_difference <= thresholds.max_score_difference:
            found.append(
                f"|Δscore| {self.score_difference:.3f} > {thresholds.max_score_difference:g}"
            )
        return found
