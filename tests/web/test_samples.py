"""The finished result that the page opens with, and the cards of the samples."""

from __future__ import annotations

import json
import re
from html import unescape
from itertools import pairwise

from emoscope.results.samples import SEQUENCE, samples
from emoscope.web.samples import demo_context, demo_turns, sample_cards


def test_the_demo_shows_its_four_emotions_in_turn_without_a_gap() -> None:
    turns = demo_turns()

    assert [turn.emotion.key for turn in turns] == ["neutral", "happy", "angry", "sad"]
    assert turns[0].start_s == 0
    for before, after in pairwise(turns):
        assert before.end_s == after.start_s
    assert turns[-1].end_s == demo_context()["sample"].duration_s + 0.00025


def test_the_demo_is_drawn_from_what_is_bundled_and_not_hatched_throughout() -> None:
    figure = str(demo_context()["figure"])
    found = re.search(r'data-drawing="([^"]+)"', figure)
    assert found is not None
    drawn = json.loads(unescape(found[1]))

    assert drawn["run"] == ""
    assert sum(drawn["overview"]["doubt"]) < 10 * len(drawn["overview"]["doubt"])
    assert 'preload="none" src="v1/samples/emodb_sequence.mp3"' in figure
    assert drawn["tiles"] == "v1/samples/emodb_sequence.mp3/curve"


def test_every_other_sample_has_a_card_with_a_river_and_the_name_of_its_language() -> None:
    cards = sample_cards()

    assert {card.sample.file for card in cards} == {one.file for one in samples()} - {SEQUENCE}
    for card in cards:
        assert card.emotions[0].key == card.sample.emotion
        assert card.spoken.zh.endswith("语")
        assert f'class="emo-of-{card.sample.emotion}"' in card.river
    assert sum(len(card.river) for card in cards) < 12_000
