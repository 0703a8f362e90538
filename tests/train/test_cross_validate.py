"""Figures of published protocols belong to the recipe that they were measured with."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (train/requirements.txt)")

import cross_validate
from recipe import RECIPE, Recipe

FIGURES = [{"corpus": "emodb", "folds": 10, "uar": 0.9}]


def keep(cache: Path, recipe: Recipe) -> None:
    """Leave figures as a run of the command does."""
    (cache / "cross_validation").mkdir()
    kept = {"recipe": cross_validate.fingerprint(recipe), "protocols": FIGURES}
    (cache / "cross_validation" / "figures.json").write_text(json.dumps(kept))


def test_figures_of_the_same_recipe_are_taken_into_the_card(tmp_path: Path) -> None:
    keep(tmp_path, Recipe.read(RECIPE))
    assert cross_validate.kept_figures(tmp_path, Recipe.read(RECIPE)) == FIGURES


def test_figures_of_another_head_are_not(tmp_path: Path) -> None:
    recipe = Recipe.read(RECIPE)
    keep(tmp_path, recipe)
    longer = dataclasses.replace(recipe.head, steps=recipe.head.steps + 1)
    assert cross_validate.kept_figures(tmp_path, dataclasses.replace(recipe, head=longer)) == []


def test_without_a_run_there_are_none(tmp_path: Path) -> None:
    assert cross_validate.kept_figures(tmp_path, Recipe.read(RECIPE)) == []
