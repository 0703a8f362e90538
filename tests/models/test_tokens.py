from __future__ import annotations

from pathlib import Path

from emoscope.models.tokens import token_errors
from parity.official_folder import TOKENS
from raising import raises_code

HIDDEN = "生气/angry\nunuse_0\nunuse_1\n开心/happy\n中立/neutral\nunuse_2\n难过/sad\nunuse_3\n<unk>"


def test_the_official_file_passes_with_and_without_a_last_newline(tmp_path: Path) -> None:
    assert len(TOKENS.encode()) == 119
    for text in (TOKENS, TOKENS + "\n", TOKENS.replace("\n", "\r\n")):
        (tmp_path / "tokens.txt").write_bytes(text.encode())
        assert token_errors(tmp_path / "tokens.txt") == []


def test_hidden_classes_are_named_in_both_languages(tmp_path: Path) -> None:
    assert 88 <= len(HIDDEN.encode()) <= 92  # the length that users found on the hubs
    (tmp_path / "tokens.txt").write_text(HIDDEN, "utf-8")

    (error,) = token_errors(tmp_path / "tokens.txt")

    assert error.code == "tokens_hidden"
    for sentence in (error.detail_zh, error.detail_en):
        assert "4" in sentence
        assert "unuse_0, unuse_1, unuse_2, unuse_3" in sentence


def test_fewer_or_no_classes_are_told(tmp_path: Path) -> None:
    with raises_code("model_file_missing"):
        token_errors(tmp_path / "tokens.txt")

    for text, count in (("a\nb\n", 2), ("", 0), (TOKENS + "\nmore", 10)):
        (tmp_path / "tokens.txt").write_text(text, "utf-8")
        (error,) = token_errors(tmp_path / "tokens.txt")
        assert error.code == "tokens_count"
        assert error.data["count"] == count
