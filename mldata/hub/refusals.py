"""What it means when the Hub refuses, has not what is asked for, or answers as it should not.

Its status codes say little (401 is also the answer for what is not there); headers say more: ``X-Error-Code`` and ``X-Error-Message``.
"""

from __future__ import annotations

from dataclasses import dataclass

from mldata.download.base import Denied, HttpError
from mldata.errors import AuthError, MldataError, NetworkError, SourceError, brief, shown
from mldata.hub.place import CONVERTED

__all__ = ["Refusals"]

LOG_IN = "mldata auth login hf"
DISABLED = "Access to this resource is disabled."


@dataclass(frozen=True)
class Refusals:
    """The errors of one source."""

    where: str
    """The source, for messages."""
    endpoint: str
    token: str | None
    """Where the user's token was found, if there is one."""
    sent: bool
    """Whether it goes to that endpoint."""

    def page(self, repo: str) -> str:
        """The address of a repository for people."""
        return f"{self.endpoint}/datasets/{repo}"

    def meaning(
        self, error: AuthError | HttpError, repo: str, revision: str | None = None, path: str = ""
    ) -> MldataError:
        """What an error is about a repository, at a revision or path where that was asked for."""
        said = error.headers if isinstance(error, Denied | HttpError) else {}
        headers = {name.lower(): "".join(filter(str.isprintable, value)) for name, value in said.items()}
        status = error.status if isinstance(error, Denied | HttpError) else 401
        code, message = headers.get("x-error-code", ""), brief(headers.get("x-error-message", ""), 200)
        if code == "GatedRepo":
            return self._gated(repo)
        if message == DISABLED:
            return self.disabled(repo)
        if code == "RevisionNotFound":
            return self._no_revision(repo, revision)
        if code == "EntryNotFound":
            return self.no_such_path(repo, path)
        if code == "RepoNotFound" or (status == 401 and self._whose is None) or (status == 404 and repo):
            return self._unknown(repo)
        if status == 401:
            return AuthError(
                f"the Hub does not take {self._whose}",
                where=self.where,
                hint=f"Make a new one at {self.endpoint}/settings/tokens, then: {LOG_IN}",
            )
        more = f": {message}" if message else ""
        if status == 403:
            return AuthError(
                f"the Hub does not let {self._whose or 'anyone without a token'} read {repo}{more}",
                where=self.where,
                hint=f"See {self.page(repo)}; another token is set by: {self._log_in}",
            )
        return NetworkError(f"{error.message}{more}", where=self.where, hint=error.hint)

    def no_such_path(self, repo: str, path: str) -> SourceError:
        """For a file, folder or pattern that is not in a repository."""
        return SourceError(
            f"expected files of {repo}, found none at {path!r}",
            where=self.where,
            hint=f"Look at what is there: {self.page(repo)}/tree/main",
        )

    def disabled(self, repo: str) -> SourceError:
        """For a repository that the Hub has closed."""
        return SourceError(
            f"the Hub has disabled {repo}: nobody can read it",
            where=self.where,
            hint=f"See {self.page(repo)}",
        )

    def empty(self, repo: str) -> SourceError:
        """For a repository without files."""
        return SourceError(
            f"{repo} is empty: expected at least one file of data",
            where=self.where,
            hint=f"See {self.page(repo)}",
        )

    def odd(self, expected: str, found: object) -> NetworkError:
        """For an answer that is not of the Hub's form."""
        return NetworkError(
            f"expected {expected} from {self.endpoint}, found {shown(found)}",
            where=self.where,
            hint="If another server than the Hub is meant to be asked, check that it speaks the Hub's protocol: "
            "mldata config get hf.endpoint",
        )

    @property
    def _whose(self) -> str | None:
        return f"the token of {self.token}" if self.token is not None and self.sent else None

    @property
    def _log_in(self) -> str:
        if self.token is not None and not self.sent:
            return "mldata config set hf.endpoint https://..., since no token goes over plain http"
        return LOG_IN

    def _gated(self, repo: str) -> AuthError:
        whose = self._whose
        return AuthError(
            f"{repo} is gated: only accounts that have accepted its conditions may read it"
            + (f", and that of {whose} has not" if whose else ""),
            where=self.where,
            hint=f"Accept them at {self.page(repo)} with "
            + (f"the account of {whose}." if whose else f"your account, then: {self._log_in}"),
        )

    def _no_revision(self, repo: str, revision: str | None) -> SourceError:
        if revision == CONVERTED:
            return SourceError(
                f"the Hub has not converted {repo} to Parquet",
                where=self.where,
                hint=f"Take the repository's own files: hf://{repo}",
            )
        return SourceError(
            f"expected a branch, tag or commit of {repo}, found none called {revision or 'main'}",
            where=self.where,
            hint=f"Look at {self.page(repo)}/tree/main for those that it has.",
        )

    def _unknown(self, repo: str) -> MldataError:
        if self._whose is not None:
            return SourceError(
                f"the Hub has no dataset {repo}, or it is private and {self._whose} is of no one who may see it",
                where=self.where,
                hint=f"Check the name, or log in as somebody who may: {LOG_IN}",
            )
        return AuthError(
            f"the Hub has no dataset {repo}, or it is private: without a token it does not tell which",
            where=self.where,
            hint=f"Check the name; if it is private, log in: {self._log_in}",
        )
