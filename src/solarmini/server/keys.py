"""API keys: read from a file, compared without telling how much of one was right."""

import hashlib
import hmac
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from solarmini.errors import ConfigError

_SHORTEST = 8


class Keys:
    """The keys that open the server; without any, everybody may come in."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = [_digest(key) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def client(self, authorization: str | None) -> str | None:
        """Return a name for whoever sent this header; None when no key is in it.

        Every key is compared, in a time that does not depend on where they differ.
        """
        scheme, _, key = (authorization or "").partition(" ")
        given = _digest(key.strip())
        found = None
        for digest in self._digests:
            if hmac.compare_digest(digest, given):
                found = digest.hex()[:12]
        return found if scheme.lower() == "bearer" else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def read_keys(path: Path) -> tuple[str, ...]:
    """Return the keys of a file, one a line; `#` begins a comment. ConfigError for a bad file."""
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the key file cannot be read: {error}", where=path) from None
    keys = tuple(text for line in lines if (text := line.split("#")[0].strip()))
    if not keys:
        raise ConfigError("the key file holds no key", where=path, mend="one key a line")
    for number, key in enumerate(keys, 1):
        if len(key) < _SHORTEST or not key.isascii() or " " in key:
            raise ConfigError(
                f"key {number} is shorter than {_SHORTEST} characters or not plain ASCII",
                where=path,
                mend="make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
    return keys


def check_exposure(host: str, keys: tuple[str, ...]) -> None:
    """Refuse to listen beyond this machine without a key."""
    if keys or is_loopback(host):
        return
    raise ConfigError(
        f"{host} can be reached from other machines, and no API key is set",
        where="--host",
        mend="give --api-key-file, or listen on 127.0.0.1",
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine only."""
    name = host.strip("[]")
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
