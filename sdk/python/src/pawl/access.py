"""What a program shows to prove who it is, and whom it trusts.

    token_of("eyJ...\n")                  "eyJ...", one word; without one PAWL_TOKEN
    check_travels("eyJ...", "pawl.example.org", "http://pawl.example.org:8080")      # ValueError: plain text

A token is never sent in plain text to another machine. No I/O but reading the files of certificates.
"""

from __future__ import annotations

import os
import re
import ssl
from typing import Optional, Union

File = Union[str, "os.PathLike[str]"]


def token_of(given: Optional[str]) -> Optional[str]:
    """ValueError, which does not show it, on what cannot be a token."""
    token = (given or os.environ.get("PAWL_TOKEN") or "").strip()
    if re.search(r"[^\x21-\x7e]", token):
        raise ValueError("a token is one word of printable ASCII; this one is not")
    return token or None


def check_travels(token: Optional[str], host: str, shown: str) -> None:
    """That it may be sent there without TLS."""
    if token and not stays_here(host):
        raise ValueError(f"{shown}: the token would travel in plain text; use TLS")


def stays_here(host: str) -> bool:
    """Names are not looked up: whoever answers for them is somebody else's decision, but for `localhost`."""
    return host in ("localhost", "::1") or re.fullmatch(r"127\.[0-9.]+", host) is not None


def file_of(given: Optional[File], variable: str) -> Optional[str]:
    return os.fspath(given) if given else os.environ.get(variable) or None


def tls_context(ca: Optional[str], certificate: Optional[str], key: Optional[str]) -> ssl.SSLContext:
    """ValueError that names a file which cannot be used."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise ValueError(f"{ca}: {error}") from None
    if certificate:
        try:
            context.load_cert_chain(certificate, key)
        except OSError as error:
            raise ValueError(f"{certificate}, {key or certificate}: {error}") from None
    return context
