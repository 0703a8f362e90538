"""Model variants: which file is run, the exact one or an agreeing variant."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from emoscope.errors import ModelInvalidError, ModelMissingError
from emoscope.files import atomic_write_json
from emoscope.models import verified_files
from emoscope.models.catalog import LocalModel, ModelCard, Variant
from emoscope.paths.choices import Precision
from emoscope.results.agreement import AgreementThresholds
from emoscope.results.result import ModelRef

WORTH_IT = 1.2
"""A variant is taken by itself only where it was measured to be faster by this factor."""


def choose(
    local: LocalModel, precision: Precision, thresholds: AgreementThresholds
) -> Variant | None:
    """Return the variant to run, or None for the exact model.

    Args:
        local: the model, on this machine.
        precision: ``exact``; ``int8``, or an error; ``auto``, the variant where it agreed with the
            exact model and was measured to be faster by ``WORTH_IT``.
        thresholds: agreement with the exact model that a variant needs to be used.

    Raises:
        ModelMissingError: ``int8``, and there is no variant.
        ModelInvalidError: ``int8``, and it did not agree.
    """
    # What ships in the package has no variant and needs none; the result says that it was exact.
    if precision == "exact" or local.origin == "package":
        return None
    variant = local.card.variants[0] if local.card.variants else None
    if precision == "auto":
        if variant is None or variant.agreement.failures(thresholds):
            return None
        return variant if variant.agreement.speedup >= WORTH_IT else None
    name = local.card.name
    if variant is None:
        target = local.official or (local.folder if local.origin == "folder" else name)
        raise ModelMissingError(
            "model_fast_missing", model=name, command=f"emoscope models quantize {target}"
        )
    if failures := variant.agreement.failures(thresholds):
        raise ModelInvalidError("model_fast_refused", model=name, figures=", ".join(failures))
    return variant


def verified(
    local: LocalModel, precision: Precision, thresholds: AgreementThresholds
) -> tuple[Path, ModelRef]:
    """Return the ONNX file to run, checked against the card, and the model's part of a result.

    Args:
        local: the model, on this machine.
        precision: ``exact``; ``int8``, or an error; ``auto``, the variant where it agreed with the
            exact model and was measured to be faster by ``WORTH_IT``.
        thresholds: agreement with the exact model that a variant needs to be used.

    Raises:
        ModelMissingError: the file is not there.
        ModelInvalidError: it is not the one that the card describes.
        ModelMissingError: ``fast``, and there is no variant.
        ModelInvalidError: ``fast``, and the variant did not agree.
    """
    card, variant = local.card, choose(local, precision, thresholds)
    if variant is None:
        for file in card.files:
            verified_files.verify_file(local, file)
        return local.onnx_path, ModelRef(card.name, card.revision, card.files[0].sha256)
    verified_files.verify_file(local, variant.file)
    agreement = variant.agreement.to_dict()
    said = ModelRef(card.name, card.revision, variant.file.sha256, variant.precision, agreement)
    return local.folder / variant.file.path, said


def record_variant(local: LocalModel, variant: Variant) -> LocalModel:
    """Write a variant into the card, in place of one of the same precision.

    Raises:
        OSError: the card cannot be written; the old one is still there.
    """
    path = local.folder / "card.json"
    data = json.loads(path.read_text("utf-8"))
    others = [one for one in local.card.variants if one.precision != variant.precision]
    data["variants"] = [one.to_dict() for one in (*others, variant)]
    atomic_write_json(path, data)
    return replace(local, card=ModelCard.from_dict(data))
