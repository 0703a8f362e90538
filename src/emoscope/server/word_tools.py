"""Text model and fusion rule of a server, from its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emoscope.errors import SettingError
from emoscope.fusion.rule import DEFAULT_RULE
from emoscope.fusion.rule_file import read_rule
from emoscope.fusion.text_model import TextModel
from emoscope.outputs.words import WordTools
from emoscope.paths.access import read_json
from emoscope.settings import Settings

_LABELS_BYTES = 1 << 20


def word_tools(settings: Settings) -> WordTools:
    """Load the text model and the rule; without a text model, words are only shown.

    Raises:
        ModelError: the text model cannot be loaded.
        ListError: a label of it means no emotion, or the rule cannot be read.
        SettingError: the map of labels is no JSON object.
        ExtraMissingError: the extra ``text`` is not installed.
    """
    rule = DEFAULT_RULE if settings.fusion_rule is None else read_rule(settings.fusion_rule)
    if settings.text_model is None:
        return WordTools(rule=rule)
    model = TextModel(settings.text_model, _labels(settings.text_labels))
    return WordTools(model, settings.text_model.name, rule)


def _labels(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        found = read_json(path, _LABELS_BYTES)
    except ValueError as exc:
        raise SettingError("setting_invalid", setting="text_labels", reason=str(exc)) from exc
    if not isinstance(found, dict):
        raise SettingError("setting_invalid", setting="text_labels", reason=f"{path.name}: {{}}")
    return found
