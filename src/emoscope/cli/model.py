"""Loading of the configured model, for every command that recognizes."""

from __future__ import annotations

from emoscope.limits import Limits
from emoscope.recognizer import Recognizer, load
from emoscope.settings import Settings


def open_model(settings: Settings, limits: Limits) -> Recognizer:
    """Load it.

    Raises:
        ModelError: it cannot be loaded.
        ExtraMissingError: its backend's library is not installed.
    """
    return load(
        settings.model,
        backend=settings.backend,
        precision=settings.precision,
        agreement_thresholds=settings.agreement_thresholds,
        thresholds=settings.thresholds,
        threads=settings.threads,
        device=settings.device,
        limits=limits,
    )
