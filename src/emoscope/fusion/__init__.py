"""Fusion of voice and words: two sets of scores become one answer, and both stay visible.

>>> from emoscope import fusion
>>> rule = fusion.read_rule("rule.json")  # doctest: +SKIP
>>> words = fusion.TextModel("models/text").scores("I am fine.")  # doctest: +SKIP
>>> fusion.fuse(result.scores, words, rule).disagree  # doctest: +SKIP
True
"""

from emoscope.fusion.rule import DEFAULT_RULE, Fusion, FusionRule, fuse
from emoscope.fusion.rule_file import read_rule, write_rule
from emoscope.fusion.text_model import TextModel
from emoscope.fusion.words import WordScores

__all__ = [
    "DEFAULT_RULE",
    "Fusion",
    "FusionRule",
    "TextModel",
    "WordScores",
    "fuse",
    "read_rule",
    "write_rule",
]
