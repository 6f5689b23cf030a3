"""What every source elsewhere promises."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar
from unittest import SkipTest

from mldata.download.base import Validator
from mldata.errors import AuthError, MldataError, NetworkError, SourceError
from mldata.sources import open_remote
from mldata.sources.base import RemoteSource, Resolved
from mldata.testing.expect import raises
from mldata.testing.places import Asked, RemotePlace, digest, fetch

__all__ = ["RemoteSourceContract"]

SECRET = "mld-7f3a-not-for-others"
OTHER = "mld-0000-not-the-one"
LONG = bytes(range(256)) * 1024
"""A file that comes in more than one piece."""


class RemoteSourceContract:
    """A source elsewhere. Write :meth:`serve`, and :attr:`variable` or :meth:`login` where it has credentials."""

    files: ClassVar[Mapping[str, bytes]] = {
        "b.csv": b"x,y\n1,2\n", "a.csv": b"x,y\n", "sub/z.csv": LONG, "sub-1.csv": b"x\n4\n", "sub/deep/\u00e9 \u5317.csv": b"x\n5\n",
    }  # fmt: skip
    """By the names that the place has for them."""
    changed: ClassVar[str] = "b.csv"
    """One of them, that a test writes anew, with as many bytes."""
    long: ClassVar[str] = "sub/z.csv"
    """One of them, that has more than 100,000 bytes."""
    unsafe: ClassVar[Sequence[str]] = (
        "../x.csv", "/x.csv", "a/../../x.csv", "a\\..\\x.csv", "C:\\x.csv", "nul\0.csv", "con.csv", "a//x.csv",
    )  # fmt: skip
    """Names that a hostile place might have; each is tried beside a sound file."""
    malformed: ClassVar[Sequence[str]] = ()
    """Source texts that are refused before anything is asked."""
    lacks: ClassVar[Mapping[str, str]] = {}
    """What there is nothing like, with the reason: ``token``, ``gate``, ``rename``, ``move``, ``fail``, ``cut``, ``names`` (it cannot
    state a name), ``many`` (it has one file), ``empty``, ``old`` (it keeps no earlier states)."""
    variable: ClassVar[str | None] = None
    """Of the environment, that holds the token."""
    many: ClassVar[int] = 2500
    """Files of a large dataset: more than come in one answer."""

    def serve(self, folder: Path) -> AbstractContextManager[RemotePlace]:
        """A new place on this machine."""
        raise NotImplementedError

    @contextmanager
    def login(self, token: str) -> Iterator[None]:
        """Have this token as a user has it."""
        if self.variable is None:
            raise SkipTest(self.lacks["token"])
        before = os.environ.get(self.variable)
        os.environ[self.variable] = token
        try:
            yield
        finally:
            os.environ.pop(self.variable)
            if before is not None:
                os.environ[self.variable] = before

    def expected(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files as they stand in the source's tree, by name."""
        return dict(files)

    def open(self, text: str, folder: Path) -> RemoteSource:
        """The source, as the spec opens it."""
        return open_remote(text, folder)

    def needs(self, *features: str) -> None:
        """Leave the test out where the place has no such thing."""
        for feature in features:
            if feature in self.lacks:
                raise SkipTest(self.lacks[feature])

    # Looking at it.

    def test_opening_asks_nothing(self, tmp_path: Path) -> None:
        """A source is known by its text alone: opened without a request; it keeps that text, and has a key."""
        with self.serve(tmp_path) as place:
            one, two = self.open(place.uri, tmp_path), self.open(place.uri, tmp_path)
            assert not place.requests
            assert one.text == two.text == place.uri and one.key and one.key == two.key

    def test_malformed_texts_are_refused(self, tmp_path: Path) -> None:
        """A text that cannot be meant is a ``SourceError`` before anything is asked."""
        for text in self.malformed:
            assert raises(SourceError, lambda text=text: self.open(text, tmp_path)).message  # type: ignore[misc]

    def test_files_are_listed(self, tmp_path: Path) -> None:
        """All files are listed once, in sorting order, with their sizes and digests where the place states them."""
        with self.serve(tmp_path) as place:
            place.put(self.files)
            resolved = self.open(place.uri, tmp_path).resolve()
            expected = self.expected(self.files)
            assert [file.name for file in resolved.files] == sorted(expected)
            for file in resolved.files:
                data = expected[file.name]
                assert file.size in (None, len(data)), file.name
                assert all(digest(kind, data) == stated for kind, stated in file.digests.items()), file.name
            _plain(resolved)

    def test_a_look_repeats(self, tmp_path: Path) -> None:
        """The same state is the same answer, whoever looks and in whatever order the place lists it."""
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.uri, tmp_path)
            assert source.resolve() == source.resolve() == self.open(place.uri, tmp_path).resolve()

    def test_a_change_is_another_revision(self, tmp_path: Path) -> None:
        """Other bytes of the same length are another revision, and another version of that file alone."""
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.uri, tmp_path)
            before = source.resolve()
            place.put(dict(self.files) | {self.changed: self.files[self.changed].swapcase()[::-1]})
            after = source.resolve()
            assert before.revision != after.revision
            changed = {
                one.name
                for one, two in zip(before.files, after.files, strict=True)
                if one.version and one.version != two.version
            }
            known = {one.name for one in before.files if one.version}
            assert changed <= set(self.expected({self.changed: b""})) and (changed or not known)

    def test_a_pinned_revision(self, tmp_path: Path) -> None:
        """An earlier state is found again by its revision with its own bytes; a place that keeps none gives what is there, by its own revision."""
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.uri, tmp_path)
            before = source.resolve()
            other = dict(self.files) | {self.changed: self.files[self.changed].swapcase()[::-1]}
            place.put(other)
            again = source.resolve(before.revision)
            if "old" in self.lacks:
                assert again.revision != before.revision and fetch(source, again) == self.expected(other)
            else:
                assert again == before and fetch(source, again) == self.expected(self.files)

    def test_a_revision_that_never_was(self, tmp_path: Path) -> None:
        """Where states are kept, one that is not there is a ``SourceError`` that names it."""
        self.needs("old")
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.uri, tmp_path)
            gone = source.resolve().revision.translate(str.maketrans("0123456789abcdef", "f0123456789abcde"))
            assert gone[:7] in str(raises(SourceError, lambda: source.resolve(gone)))

    def test_many_files(self, tmp_path: Path) -> None:
        """A list that comes in several answers is put together, with far fewer requests than files."""
        self.needs("many")
        with self.serve(tmp_path) as place:
            files = {f"part-{number:05d}.csv": b"x\n" for number in range(self.many)}
            place.put(files)
            resolved = self.open(place.uri, tmp_path).resolve()
            assert [file.name for file in resolved.files] == sorted(self.expected(files))
            assert len(place.requests) < self.many / 10

    def test_it_tells_about_itself(self, tmp_path: Path) -> None:
        """What is told without a download agrees with the files."""
        with self.serve(tmp_path) as place:
            place.put(self.files)
            about = self.open(place.uri, tmp_path).about()
            assert about.size in (None, sum(map(len, self.expected(self.files).values())))

    # Reading it.

    def test_bytes_are_those_of_the_files(self, tmp_path: Path) -> None:
        """Every file comes whole and unchanged, an empty one too."""
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.uri, tmp_path)
            assert fetch(source, source.resolve()) == self.expected(self.files)

    def test_ranges(self, tmp_path: Path) -> None:
        """A part is the bytes of that part, or the whole file with the reason why."""
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.uri, tmp_path)
            name, data = next(iter(self.expected({self.long: self.files[self.long]}).items()))
            origin = source.origin(next(f for f in source.resolve().files if f.name == name))
            with origin.open() as whole:
                match = whole.validator
            assert match.size in (None, len(data))
            for start, stop in (
                (0, 1),
                (1, None),
                (5, 70_001),
                (len(data) - 1, None),
                (len(data) - 3, len(data)),
            ):
                with origin.open(start, stop, match) as body:
                    found = b"".join(body)
                    if body.start == start:
                        assert found == data[start:stop] or (start == 0 and found == data and not body.ranges)
                        assert body.reason is None
                    else:
                        assert body.start == 0 and found == data and body.reason

    def test_parts_of_two_states_are_not_mixed(self, tmp_path: Path) -> None:
        """A part of a file that has changed since is refused, or all of the new one with the reason why."""
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.uri, tmp_path)
            name, data = next(iter(self.expected({self.long: self.files[self.long]}).items()))
            file = next(f for f in source.resolve().files if f.name == name)
            with source.origin(file).open() as whole:
                match = whole.validator
            assert match != Validator(), "nothing tells one state from another"
            changed = self.files[self.long][::-1]
            place.put(dict(self.files) | {self.long: changed})
            try:
                with source.origin(file).open(1000, None, match) as body:
                    found, start, reason = b"".join(body), body.start, body.reason
            except (SourceError, NetworkError):
                return
            if start:  # the place keeps what it had, by the file's own version
                assert found == data[1000:] and body.validator == match
            else:
                assert found in (changed, data) and reason

    def test_what_is_cut_off_is_gone_on_with(self, tmp_path: Path) -> None:
        """A connection that breaks in the middle of a file costs what was not read yet, and no byte of it."""
        self.needs("cut")
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.uri, tmp_path)
            resolved = source.resolve()
            place.cut(100_000)
            assert fetch(source, resolved) == self.expected(self.files)

    # What can be wrong with it.

    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        """An unknown dataset is an error that names the source and says what to do."""
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.nowhere, tmp_path)
            try:
                error: MldataError = raises(SourceError, source.resolve)
            except AuthError as found:  # services that do not tell the unknown from the private
                error = found
            assert source.text in str(error) and error.hint

    def test_an_empty_one(self, tmp_path: Path) -> None:
        """A dataset without files is a ``SourceError`` that names the source."""
        self.needs("empty")
        with self.serve(tmp_path) as place:
            place.put({})
            source = self.open(place.uri, tmp_path)
            assert source.text in str(raises(SourceError, source.resolve))

    def test_a_private_one(self, tmp_path: Path) -> None:
        """Without a token, and with a wrong one, it is an ``AuthError`` that says what to do; with the right one it is read."""
        self.needs("token")
        with self.serve(tmp_path) as place:
            place.put(self.files)
            place.require_token(SECRET)
            self._no_way_in(place, tmp_path)
            with self.login(OTHER):
                self._no_way_in(place, tmp_path)
            with self.login(SECRET):
                source = self.open(place.uri, tmp_path)
                assert fetch(source, source.resolve()) == self.expected(self.files)

    def _no_way_in(self, place: RemotePlace, folder: Path) -> AuthError:
        source = self.open(place.uri, folder)
        try:
            error = raises(AuthError, source.resolve)
        except SourceError as found:  # services that do not tell the private from the unknown
            assert found.hint and "token" in str(found).lower()
            error = AuthError(found.message, where=found.where, hint=found.hint)
        assert error.hint and source.text in str(error)
        assert SECRET not in str(error) and OTHER not in str(error)
        return error

    def test_a_gated_one(self, tmp_path: Path) -> None:
        """Where something must be accepted first, the ``AuthError`` has the address."""
        self.needs("gate")
        with self.serve(tmp_path) as place:
            place.put(self.files)
            place.gate()
            with self.login(SECRET):
                assert "http" in str(self._no_way_in(place, tmp_path).hint)

    def test_tokens_stay_where_they_belong(self, tmp_path: Path) -> None:
        """A token is in nothing that is kept or shown, and no other host gets it."""
        self.needs("token")
        with self.serve(tmp_path) as place, self.login(SECRET):
            place.put(self.files)
            place.require_token(SECRET)
            if "move" not in self.lacks:
                place.move()
            source = self.open(place.uri, tmp_path)
            resolved = source.resolve()
            assert fetch(source, resolved) == self.expected(self.files)
            origins = [source.origin(file) for file in resolved.files]
            kept = [source.text, source.key, resolved, source.about(), source, *origins]
            kept += [text for origin in origins for text in (origin.name, origin.identity)]
            assert SECRET not in repr(kept)
            assert any(SECRET in _sent(asked) for asked in place.requests if asked.own) or _basic(place)
            assert not any(
                SECRET in _sent(a) or "authorization" in a.headers for a in place.requests if not a.own
            )
            place.fail(500, None, {"Retry-After": "0"})
            for call in (source.resolve, source.about, lambda: fetch(source, resolved)):
                assert SECRET not in str(raises(MldataError, call))

    def test_a_renamed_one(self, tmp_path: Path) -> None:
        """The old name leads to the files still, with a warning; or the error says the new one."""
        self.needs("rename")
        with self.serve(tmp_path) as place:
            place.put(self.files)
            place.rename()
            source = self.open(place.uri, tmp_path)
            resolved = source.resolve()
            assert fetch(source, resolved) == self.expected(self.files) and resolved.warnings

    def test_files_behind_redirects(self, tmp_path: Path) -> None:
        """Bytes that another host gives out are the same file: the revision does not change."""
        self.needs("move")
        with self.serve(tmp_path) as place:
            place.put(self.files)
            source = self.open(place.uri, tmp_path)
            before = source.resolve()
            place.move()
            assert source.resolve() == before and fetch(source, before) == self.expected(self.files)
            assert not all(asked.own for asked in place.requests)

    def test_too_many_requests(self, tmp_path: Path) -> None:
        """A place that wants to be asked later is asked later."""
        self.needs("fail")
        with self.serve(tmp_path) as place:
            place.put(self.files)
            place.fail(429, 2, {"Retry-After": "0"})
            source = self.open(place.uri, tmp_path)
            resolved = source.resolve()
            place.fail(429, 1, {"Retry-After": "0"})
            assert fetch(source, resolved) == self.expected(self.files)

    def test_a_broken_place(self, tmp_path: Path) -> None:
        """A server that answers with an error only is a ``NetworkError`` with that status, after a few tries."""
        self.needs("fail")
        for status in (500, 503):
            with self.serve(tmp_path / str(status)) as place:
                place.put(self.files)
                place.fail(status, None, {"Retry-After": "0"})
                error = raises(NetworkError, self.open(place.uri, tmp_path).resolve)
                assert str(status) in str(error) and error.hint and 1 < len(place.requests) < 30

    def test_unsafe_names_do_no_harm(self, tmp_path: Path) -> None:
        """A name that leads out of a folder, or means another thing elsewhere, is refused with the name: here, or when the tree is made."""
        from store import UnsafeName, split_path

        self.needs("names")
        for number, name in enumerate(self.unsafe):
            with self.serve(tmp_path / str(number)) as place:
                place.put({"a.csv": b"x\n1\n", name: b"x\n2\n"})
                source = self.open(place.uri, tmp_path)
                try:
                    resolved = source.resolve()
                except SourceError as error:
                    assert "csv" in str(error)
                    continue
                bad = []
                for file in resolved.files:
                    try:
                        split_path(file.name)
                    except UnsafeName:
                        bad.append(file.name)
                assert bad, f"{name!r} was taken for {[file.name for file in resolved.files]}"


def _plain(resolved: Resolved) -> None:
    """Its revision is one line, and its facts are values that a manifest can hold."""
    import json

    assert resolved.revision and resolved.revision.isprintable() and len(resolved.revision) <= 200
    assert json.loads(json.dumps(dict(resolved.facts))) == dict(resolved.facts)


def _sent(asked: Asked) -> str:
    """Where a token may be: some services have it in the address."""
    return "\n".join([asked.path, *asked.headers.values()])


def _basic(place: RemotePlace) -> bool:
    """Whether the token was sent as the password of HTTP Basic."""
    import base64

    said = [asked.headers.get("authorization", "") for asked in place.requests if asked.own]
    return any(SECRET in base64.b64decode(text[6:]).decode() for text in said if text.startswith("Basic "))
