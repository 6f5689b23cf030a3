"""Who one is to a service: tokens from the environment, the system's keyring, or a file that only its owner may read.

Services are ``hf``, ``kaggle`` and ``openml``; ``huggingface`` means ``hf``. Invariant: a secret is in no message, ``repr``, log, manifest or key.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

__all__ = ["Credential", "find_credential"]


@dataclass(frozen=True)
class Credential:
    """A token, and where it was found."""

    service: str
    secret: str = field(repr=False)
    origin: str
    """For people: ``the variable HF_TOKEN``, ``the keyring``, a path."""
    user: str | None = None
    """The name that goes with it, where the service has two-part credentials."""


def find_credential(service: str) -> Credential | None:
    """The credential to be used for a service now; None: ask without."""
    variables = {"hf": ("HF_TOKEN",), "kaggle": ("KAGGLE_API_TOKEN",), "openml": ("OPENML_APIKEY",)}
    for name in variables[service]:
        if value := os.environ.get(name, "").strip():
            return Credential(service, value, f"the variable {name}")
    return None
