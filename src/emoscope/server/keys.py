"""API keys: creation, scopes, storage as hashes.

A key is 256 bits of chance, so a plain SHA-256 of it is enough: there is nothing to guess that a
slow hash would protect. The file is small and read again when it changes, so that a key which was
revoked stops working at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

from emoscope.errors import SettingError
from emoscope.files import replace_file, translated_os_errors

Scope: TypeAlias = Literal["read", "recognize", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "recognize", "admin")
PREFIX = "emo_"
_MODE = 0o600
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Stored record of an API key."""

    name: str
    sha256: str
    scopes: tuple[Scope, ...]
    created_utc: str
    id: str
    """Owns runs and jobs; another one when a name is made again. In older files it is the name."""
    expires_utc: str | None = None
    """ISO date and time with a zone; None for a key that does not expire."""
    per_minute: int | None = None
    """Requests a minute that count; None for the server's rate."""

    def is_expired(self, now: datetime) -> bool:
        """Whether the key is not valid any more."""
        return self.expires_utc is not None and now >= datetime.fromisoformat(self.expires_utc)


class KeyFile:
    """Key file of a server.

    Args:
        path: a JSON file, readable by its owner only; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys: tuple[ApiKey, ...] = ()
        self._stamp: tuple[int, ...] | None = None

    def keys(self) -> tuple[ApiKey, ...]:
        """Return all keys.

        Raises:
            SettingError: the file is damaged; a server with it would refuse or allow every request.
        """
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                data = json.loads(self.path.read_text("utf-8"))
                self._keys = tuple(_key(entry) for entry in data["keys"])
                self._stamp = stamp
        except FileNotFoundError:
            self._keys, self._stamp = (), None
        except (OSError, ValueError, KeyError, TypeError) as exc:
            why = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
            raise SettingError("setting_invalid", setting=str(self.path), reason=why[:200]) from exc
        return self._keys

    def find(self, secret: str) -> ApiKey | None:
        """Return the key of a secret."""
        return find_key(self.keys(), secret)

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        expires_utc: str | None = None,
        per_minute: int | None = None,
    ) -> str:
        """Add a key and return its secret, which is written nowhere.

        Args:
            name: of the key, which no other has.
            scopes: what it may do.
            expires_utc: when it expires, in ISO format with a zone; never by default.
            per_minute: requests a minute that count; the server's rate by default.

        Raises:
            SettingError: the name is taken or no plain word, or a scope is none.
            StoreError: the file cannot be written; there is no such key then.
        """
        chosen = tuple(scope for scope in SCOPES if scope in (wanted := set(scopes)))
        if not chosen or wanted - set(SCOPES):
            raise SettingError("setting_invalid", setting="--scope", reason=" | ".join(SCOPES))
        if not _NAME.fullmatch(name) or any(key.name == name for key in self.keys()):
            raise SettingError(
                "setting_invalid", setting="NAME", reason=f"{name!r}: [A-Za-z0-9._-], and only once"
            )
        secret = PREFIX + secrets.token_urlsafe(32)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        digest = hashlib.sha256(secret.encode()).hexdigest()
        id_ = f"key_{secrets.token_hex(8)}"
        key = ApiKey(name, digest, chosen, created, id_, expires_utc, per_minute)
        self._write((*self.keys(), key))
        return secret

    def named(self, name: str) -> ApiKey:
        """Return the key of a name.

        Raises:
            SettingError: there is none.
        """
        for key in self.keys():
            if key.name == name:
                return key
        raise SettingError("setting_invalid", setting="NAME", reason=f"{name!r}?")

    def revoke(self, name: str) -> None:
        """Take a key away.

        Raises:
            SettingError: there is none of this name.
            StoreError: the file cannot be written; the key is still valid.
        """
        gone = self.named(name)
        self._write(tuple(key for key in self.keys() if key.id != gone.id))

    def _write(self, keys: tuple[ApiKey, ...]) -> None:
        """Replace the file as a whole; its owner and permissions stay.

        A new file is readable by its owner only, from the first moment. Made by root it belongs to
        the owner of its folder: else the service's own user could not read it.

        Raises:
            StoreError: it cannot be written; its previous content is unchanged.
        """
        data = json.dumps({"keys": [asdict(key) for key in keys]}, indent=1).encode()
        with translated_os_errors(self.path):
            owner, mode = owner_and_mode(self.path)

            def fill(file: BinaryIO) -> None:
                if owner is not None and owner != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), *owner)
                file.write(data)

            replace_file(self.path, fill, mode=mode)


def find_key(keys: Iterable[ApiKey], secret: str) -> ApiKey | None:
    """Return the key of a secret; takes as long for a wrong one as for the last one."""
    given = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
    found = None
    for key in keys:
        if hmac.compare_digest(key.sha256, given):
            found = key
    return found


def owner_and_mode(path: Path) -> tuple[tuple[int, int] | None, int]:
    """Return user, group and permissions of the file to be written; no owner on Windows."""
    has_owners = hasattr(os, "geteuid")
    try:
        before = path.stat()
        mode = before.st_mode & 0o777
    except FileNotFoundError:
        before, mode = path.parent.stat(), _MODE
        has_owners = has_owners and os.geteuid() == 0
    return ((before.st_uid, before.st_gid) if has_owners else None), mode


def _key(entry: dict[str, Any]) -> ApiKey:
    scopes = tuple(scope for scope in SCOPES if scope in entry["scopes"])
    name = str(entry["name"])
    expires, per_minute = entry.get("expires_utc"), entry.get("per_minute")
    if expires is not None and datetime.fromisoformat(expires).tzinfo is None:
        raise ValueError(f"{expires}: no time zone")
    return ApiKey(
        name,
        str(entry["sha256"]),
        scopes,
        str(entry["created_utc"]),
        str(entry.get("id", name)),
        expires,
        None if per_minute is None else int(per_minute),
    )
