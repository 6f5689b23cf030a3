"""Whether a command may use the network."""

from __future__ import annotations

__all__ = ["need_network"]


def need_network(what: str) -> None:
    """Raise ``NetworkError`` where the settings say that there is none. ``what``: what it is needed for."""
    from mldata.config import load_config
    from mldata.errors import NetworkError

    if load_config().offline:
        raise NetworkError(
            f"expected to be allowed to use the network for {what}, found the setting offline",
            hint="Allow it: mldata config set offline false",
        )
