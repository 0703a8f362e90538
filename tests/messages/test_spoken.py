"""Advice about languages follows the card of the loaded model."""

from __future__ import annotations

from dataclasses import replace

from emoscope.messages.spoken import SPOKEN, language_answer, language_tip
from emoscope.models import catalog
from emoscope.models.catalog import ModelCard
from emoscope.settings import load_settings
from emoscope.web import views

CARD = catalog.find("compact").card


def page(card: ModelCard | None) -> str:
    limits = views.UploadLimits.of(load_settings())
    return views.document({"query_string": b"", "headers": []}, "home", limits, card)


def test_the_compact_model_claims_the_languages_that_it_learned() -> None:
    assert set(CARD.languages) == {"en", "pl", "de", "hi"}
    tip = language_tip(CARD.languages)
    assert tip is not None
    assert tip.zh == "最好说英语、波兰语、德语或印地语：当前模型学的是这些语言。"
    assert tip.en.startswith("Best in English, Polish, German or Hindi")
    assert tip.zh in page(CARD)
    assert language_answer(CARD.languages).en in page(CARD)
    assert "中文" not in tip.zh


def test_official_models_know_chinese_and_english_though_their_cards_do_not_say_so() -> None:
    data = {
        "name": "emotion2vec-plus-large",
        "revision": "1",
        "files": [{"path": "a.onnx", "bytes": 1, "sha256": "0" * 64}],
        "dim": 1024,
        "licence": "x",
        "title_zh": "x",
        "title_en": "x",
    }

    assert ModelCard.from_dict(data).languages == ("zh", "en")
    assert ModelCard.from_dict({**data, "name": "mine"}).languages == ()
    assert ModelCard.from_dict({**data, "languages": ["ja"]}).languages == ("ja",)


def test_one_language_unknown_codes_and_none_at_all() -> None:
    assert language_tip(()) is None
    assert "说明卡没有写明语言" in language_answer(()).zh
    one = language_tip(("ja",))
    assert one is not None
    assert one.en == "Best in Japanese: the loaded model learned this language."
    assert language_answer(("xx", "zh")).en.startswith("The loaded model learned xx and Chinese.")
    assert "最好说" not in page(replace(CARD, languages=()))
    assert "最好说" not in page(None)
    assert all(text.zh and text.en for text in SPOKEN.values())
