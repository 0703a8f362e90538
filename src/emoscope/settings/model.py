"""Loading of the model that the settings name, for every front end that runs it itself."""

from __future__ import annotations

from emoscope.hub.progress import PullListener, log_pull
from emoscope.limits import Limits
from emoscope.recognizer import Recognizer, load
from emoscope.settings import Settings


def load_configured(
    settings: Settings, limits: Limits, listener: PullListener = log_pull
) -> Recognizer:
    """Load the model of the settings, with their heads.

    Args:
        settings: name the model and how it is run.
        limits: of recordings.
        listener: is told why loading takes long.

    Raises:
        ModelError: it cannot be loaded.
        HeadError: a head is unknown, damaged, or of another model.
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
        listener=listener,
    ).configured(heads=settings.heads)
