"""``mldata auth``: the credentials that are shown to data hubs.

Invariant: a secret is read from a terminal without echo or from standard input, never from an argument, and is never printed.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Arguments, Output, Result, failure_code
from mldata.config import load_config
from mldata.credentials import ALIASES, SERVICES, Credential, hidden, look, service_name
from mldata.download.addresses import insecure
from mldata.errors import EXIT_OK, NetworkError, UsageError

if TYPE_CHECKING:
    from mldata.standing import Standing

EXAMPLE = """\
  mldata auth status
  mldata auth login hf --token-stdin --file --no-verify < token.txt"""
ACTIONS = ("status", "login", "logout")
TIMEOUT = 10.0
"""Seconds to wait for a service."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata auth``."""
    names = ", ".join([*SERVICES, *ALIASES])
    parser.description = f"""\
Show, save and remove the credentials for {names}. The first that is found counts:
  environment  HF_TOKEN, HUGGING_FACE_HUB_TOKEN; KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY; OPENML_APIKEY
  keyring      of the system, where login saves
  file         credentials.json beside the file of 'mldata config path', where login saves if there is no keyring
  client       the token file of huggingface_hub; access_token, kaggle.json and credentials.json of kaggle; config of openml
login asks for a token without showing it and tries it before it is saved. logout removes what login saved."""
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument(
        "service",
        nargs="?",
        default=None,
        metavar="SOURCE",
        help=f"one of {names}; status shows all without it",
    )
    login = parser.add_argument_group("login")
    login.add_argument(
        "--token-stdin", action="store_true", default=False, help="read the token from standard input"
    )
    login.add_argument(
        "--username",
        default=None,
        metavar="NAME",
        help="of Kaggle's keys in two parts; what is asked for is then the key",
    )
    login.add_argument(
        "--file", action="store_true", default=False, help="save in the file, not in the keyring"
    )
    login.add_argument(
        "--no-verify", action="store_true", default=False, help="save without asking the service"
    )
    login.add_argument(
        "--offline", action="store_true", default=False, help="use no network (as --no-verify)"
    )
    status = parser.add_argument_group("status")
    status.add_argument(
        "--check", action="store_true", default=False, help="ask the services whether they are valid"
    )


def run(args: Arguments, output: Output) -> Result:
    """Do one of the actions."""
    _check_flags(args)
    if args.action == "status":
        return _status(args, output)
    if args.service is None:
        raise UsageError(f"expected one of {', '.join([*SERVICES, *ALIASES])}; found nothing",
                         hint=f"For example: mldata auth {args.action} hf")  # fmt: skip
    service = service_name(args.service)
    return _login(service, args, output) if args.action == "login" else _logout(service)


def _check_flags(args: Arguments) -> None:
    for name in ("token_stdin", "username", "file", "no_verify"):
        if getattr(args, name) and args.action != "login":
            raise UsageError(f"it is for login, found {args.action}", where=f"--{name.replace('_', '-')}")
    if args.check and args.action != "status":
        raise UsageError(f"it is for status, found {args.action}", where="--check")


def _login(service: str, args: Arguments, output: Output) -> Result:
    from mldata.cli.secret import on_terminal, read_credential
    from mldata.login import save

    credential = read_credential(service, args.username, piped=args.token_stdin)
    warnings = []
    verify = not (args.no_verify or args.offline or load_config().offline)
    if verify and (warning := insecure(load_config().endpoint(service))) is not None:
        output.note(f"warning: {warning}")  # before it is sent
        warnings.append(warning)
    name = _verified(credential) if verify else None
    kept = save(service, credential.secret, credential.user, to_file=args.file, asking=on_terminal())
    known = f" as {name}" if name else ""
    did = (
        f"logged in to {SERVICES[service]}{known}" if verify else f"saved for {SERVICES[service]}, not tried"
    )
    lines = [f"{did}; the token is in {kept.place}"]
    if kept.kind == "file":
        lines.append(f"  Only you may read it; it is not encrypted{f' ({kept.why})' if kept.why else ''}.")
    hiding = _hiding(service)
    lines += [f"warning: {warning}" for warning in hiding]
    data = {
        "service": service,
        "saved": kept.kind,
        "place": kept.place,
        "verified": verify,
        "user": name or credential.user,
        "why": kept.why,
    }
    return Result(data, "\n".join(lines), warnings=warnings + hiding)


def _hiding(service: str) -> list[str]:
    """What keeps a saved credential from being used."""
    if (variable := hidden(service)) is not None:
        return [f"the variable {variable} says that no token is to be used"]
    places = [it.origin for it in look(service) if it.kind == "environment" and (it.credential or it.error)]
    return [f"{origin} comes first as long as it is set" for origin in places[:1]]


def _verified(credential: Credential) -> str | None:
    from mldata.download.web import Web
    from mldata.standing import verified

    web = Web(timeout=TIMEOUT)
    try:
        return verified(credential, web)
    except NetworkError as error:
        hint = f"Try again; or save it untried: mldata auth login {credential.service} --no-verify"
        raise NetworkError(
            f"not saved, since it could not be tried: {error.message}", where=error.where, hint=hint
        ) from None
    finally:
        web.close()


def _logout(service: str) -> Result:
    from mldata.cli.secret import on_terminal
    from mldata.login import forget

    gone = forget(service, asking=on_terminal())
    title = SERVICES[service]
    lines = [
        f"removed the credential for {title} from {' and '.join(gone.places)}"
        if gone.places
        else f"mldata has saved nothing for {title}"
    ]
    for place in gone.left:
        lines.append(f"still there: {place.origin}")
        lines.append(f"  {_remedy(service, place.kind, place.origin)}")
    warnings = [gone.warning] if gone.warning else []
    lines += [f"warning: {warning}" for warning in warnings]
    left = [{"kind": place.kind, "origin": place.origin} for place in gone.left]
    return Result(
        {"service": service, "removed": list(gone.places), "left": left}, "\n".join(lines), warnings=warnings
    )


def _remedy(service: str, kind: str, origin: str) -> str:
    if kind == "environment":
        names = [word for word in origin.split() if word.isupper() and "_" in word]
        return f"unset {' '.join(names)}"
    return {"hf": "hf auth logout"}.get(service, f"It belongs to another program; to remove it: rm {origin}")


def _status(args: Arguments, output: Output) -> Result:
    from mldata.download.web import Web
    from mldata.standing import standing

    names = list(SERVICES) if args.service is None else [service_name(args.service)]
    offline = args.offline or load_config().offline
    web = Web(timeout=TIMEOUT)
    try:
        found = [standing(name, web if args.check and not offline else None) for name in names]
    finally:
        web.close()
    rows = [_row(it) for it in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for it, row in zip(found, rows, strict=True):
        lines.append("  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip())
        lines += [f"  {note}" for note in _notes(it, output.verbose)]
    if args.check and offline:
        lines.append("not checked: no network is to be used")
    # One damaged file is the same error for every service.
    errors: list[Exception] = list({str(it.error): it.error for it in found if it.error is not None}.values())
    return Result(
        {"services": {it.service: _json(it) for it in found}},
        "\n".join(lines),
        failure_code(errors) if errors else EXIT_OK,
        errors,
    )


def _row(it: Standing) -> tuple[str, str, str]:
    title, credential = SERVICES[it.service], it.credential
    if it.off is not None:
        return title, "not used", f"the variable {it.off} is set"
    if it.used is None:
        return title, "no credential", f"mldata auth login {it.service}"
    if credential is None:
        return title, "cannot be used", it.used.origin
    state = {None: "found", True: "valid", False: "refused"}[it.valid] + (f" ({it.user})" if it.user else "")
    return title, state, credential.origin + (f", ending in {it.ending}" if it.ending else "")


def _notes(it: Standing, verbose: bool) -> list[str]:
    notes = [
        f"{place.origin}: {place.note}" for place in it.places if place.note and (verbose or not place.absent)
    ]
    if verbose:
        behind = [
            place.origin for place in it.places if place is not it.used and place.credential is not None
        ]
        notes += [f"also there, not used: {origin}" for origin in behind]
    return notes


def _json(it: Standing) -> dict[str, Any]:
    return {
        "found": it.credential is not None,
        "kind": it.used.kind if it.used is not None else None,
        "origin": it.used.origin if it.used is not None else None,
        "user": it.user,
        "ending": it.ending,
        "valid": it.valid,
        "off": it.off,
        "places": [
            {
                "kind": place.kind,
                "origin": place.origin,
                "usable": place.credential is not None,
                "note": place.note if place.error is None else place.error.message,
            }
            for place in it.places
        ],
    }
