"""Which build runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from emoscope.server.build_info import commit_of_checkout


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    ran = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return ran.stdout.strip()


@pytest.mark.process
def test_the_commit_of_a_checkout(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    assert commit_of_checkout(folder) is None
    git(folder, "init", "-q")
    assert commit_of_checkout(folder) is None
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    head = git(folder, "rev-parse", "HEAD")

    assert commit_of_checkout(folder) == head
    git(folder, "pack-refs", "--all")
    assert commit_of_checkout(folder) == head
    git(folder, "worktree", "add", "-q", str(tmp_path / "two"))
    assert commit_of_checkout(tmp_path / "two") == head
    git(folder, "checkout", "-q", "--detach")
    assert commit_of_checkout(folder) == head
    (folder / ".git" / "HEAD").write_text("nonsense")
    assert commit_of_checkout(folder) is None
