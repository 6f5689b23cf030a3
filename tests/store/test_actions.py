"""Actions, keys, and the cache of results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import (
    KIND_FILE,
    KIND_TREE,
    Action,
    ActionResult,
    Digest,
    ObjectId,
    Output,
    Store,
    TreeEntry,
    digest_bytes,
    encode,
)
from store.actions import action_keys, decode_result, encode_result
from store.errors import BadEncoding, ObjectMissing, StoreError

ACTION = Action(
    "split", 3, {"seed": 42, "parts": [["train", 0.8]]}, (("table", Digest("ab" * 32)),), {"numpy": "2.0"}
)
KEY = digest_bytes(b"key")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s") as store:
        yield store


def result_of(*ids: ObjectId, kind: str = KIND_FILE, rows: int = 1) -> ActionResult:
    return ActionResult({f"o{n}": Output(*id, kind) for n, id in enumerate(ids)}, {"rows": rows})


def put_tree(store: Store, *ids: ObjectId, kind: str = KIND_FILE) -> ObjectId:
    return store.put_tree([TreeEntry(f"n{n}", kind, *id) for n, id in enumerate(ids)])


def spoil(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_key_is_pinned() -> None:
    """The key of an action never changes between versions of this package."""
    assert ACTION.key == "dd7206d71d35a6be63296645190cc91cb201467165b07ac41375c05604e6a796"


@pytest.mark.parametrize(
    "other",
    [
        replace(ACTION, stage="export"),
        replace(ACTION, version=4),
        replace(ACTION, params={"seed": 43, "parts": [["train", 0.8]]}),
        replace(ACTION, params={"seed": 42.0, "parts": [["train", 0.8]]}),
        replace(ACTION, inputs=(("table", Digest("ac" * 32)),)),
        replace(ACTION, inputs=(("rows", Digest("ab" * 32)),)),
        replace(ACTION, runtime={"numpy": "2.1"}),
        replace(ACTION, salt="x"),
    ],
)
def test_key_covers_every_field(other: Action) -> None:
    """Whatever can change the bytes changes the key."""
    assert other.key != ACTION.key


def test_key_ignores_order_of_params() -> None:
    """Two spellings of the same parameters are one action."""
    assert replace(ACTION, params=dict(reversed(ACTION.params.items()))).key == ACTION.key


def test_key_refuses_what_has_no_encoding() -> None:
    """A parameter without a canonical form is an error, not a silent ``repr``."""
    with pytest.raises(BadEncoding):
        _ = replace(ACTION, params={"a": {1, 2}}).key


def test_key_is_the_digest_of_the_canonical_encoding() -> None:
    """As ``FORMAT.md`` says, of an action with any number of inputs and parameters."""
    for count in (0, 1, 20):
        digest = Digest("ab" * 32)
        action = replace(
            ACTION,
            inputs=tuple((f"i{n}", digest) for n in range(count)),
            params={f"p{n}": n for n in range(count)},
        )
        fields = {
            "inputs": [[name, bytes.fromhex(digest)] for name, digest in action.inputs],
            "kind": "mldata-action",
            "params": dict(action.params),
            "runtime": dict(action.runtime),
            "salt": action.salt,
            "stage": action.stage,
            "version": action.version,
        }
        assert action.key == digest_bytes(encode(fields))


def test_keys_of_many_are_the_keys_of_each() -> None:
    """Whatever actions share, and whatever they do not."""
    params, runtime = {"seed": 1}, {"numpy": "1"}
    actions = [
        replace(ACTION, params=params, runtime=runtime),
        replace(ACTION, params=params, runtime=runtime, inputs=()),
        replace(ACTION, params=params, runtime=runtime, salt="x"),
        replace(ACTION, params=params, runtime=runtime, stage="x"),
        replace(ACTION, params=params, runtime=runtime, version=9),
        replace(ACTION, params=params),
        replace(ACTION, runtime=runtime),
    ]
    assert action_keys(actions) == [action.key for action in actions]
    assert len(set(action_keys(actions))) == len(actions)
    passing = (replace(ACTION, params={"seed": n}) for n in range(100))
    assert action_keys(passing) == [replace(ACTION, params={"seed": n}).key for n in range(100)]


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 2**63 - 1), st.booleans()),
    ),
    st.dictionaries(
        st.text(max_size=5), st.none() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=9)
    ),
)
def test_result_round_trip(outputs: dict[str, tuple[bytes, int, bool]], facts: dict[str, object]) -> None:
    """A result is read back as it was written."""
    named = {n: Output(Digest(d.hex()), s, KIND_TREE if t else KIND_FILE) for n, (d, s, t) in outputs.items()}
    result = ActionResult(named, facts)
    assert decode_result(KEY, encode_result(KEY, result)) == result


def test_result_is_whole_or_refused() -> None:
    """A result file cut at any length, with any bit flipped, or of another key is refused."""
    data = encode_result(KEY, ActionResult({"o": Output(KEY, 3)}, {"rows": 1}))
    for length in range(len(data)):
        with pytest.raises(BadEncoding):
            decode_result(KEY, data[:length])
    for bit in range(0, 8 * len(data), 3):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadEncoding):
            decode_result(KEY, bytes(flipped))
    with pytest.raises(BadEncoding, match="another key"):
        decode_result(digest_bytes(b"other"), data)


@pytest.mark.parametrize(
    "fields",
    [
        7,
        {"facts": {}, "key": bytes.fromhex(KEY), "outputs": {}},
        {"facts": {}, "key": bytes.fromhex(KEY), "outputs": {}, "version": 2},
        {"facts": {}, "key": bytes.fromhex(KEY), "outputs": 3, "version": 1},
        {"facts": {}, "key": bytes.fromhex(KEY), "outputs": {"o": [b"short", 1, "file"]}, "version": 1},
        {"facts": {}, "key": bytes.fromhex(KEY), "outputs": {"o": [b"x" * 32, -1, "file"]}, "version": 1},
        {"facts": {}, "key": bytes.fromhex(KEY), "outputs": {"o": [b"x" * 32, 1, "pipe"]}, "version": 1},
        {"facts": {}, "key": bytes.fromhex(KEY), "outputs": {"o": [b"x" * 32]}, "version": 1},
    ],
)
def test_well_encoded_nonsense_is_refused(fields: object) -> None:
    """A right trailing digest does not make a result of something else."""
    body = encode(fields)
    with pytest.raises(BadEncoding):
        decode_result(KEY, body + bytes.fromhex(digest_bytes(body)))


def test_absent_is_a_miss(store: Store) -> None:
    """No file, no hit."""
    assert store.actions.get(KEY) is None
    with pytest.raises(ObjectMissing):
        store.actions.load(KEY)


def test_first_result_stays(store: Store) -> None:
    """The same outputs again are the same, whatever the facts; other outputs are told to the caller, and do not replace the first."""
    first = result_of(store.put(b"1"))
    assert store.actions.put(KEY, first).status == "new"
    again = store.actions.put(KEY, replace(first, facts={"rows": 2}))
    assert (again.status, again.result) == ("same", first)
    other = store.actions.put(KEY, result_of(store.put(b"2")))
    assert (other.status, other.result) == ("differs", first)
    assert store.actions.get(KEY) == first


def test_useless_result_is_replaced(store: Store) -> None:
    """A first result whose objects are gone gives way."""
    gone = store.put(b"1")
    store.actions.put(KEY, result_of(gone))
    store.layout.object(gone.digest).unlink()
    second = result_of(store.put(b"2"))
    assert store.actions.put(KEY, second).status == "new"
    assert store.actions.get(KEY) == second


def test_damaged_file_is_a_miss_and_moves_aside(store: Store) -> None:
    """A damaged result counts as absent, is kept as evidence, and the next one takes its place."""
    result = result_of(store.put(b"1"))
    store.actions.put(KEY, result)
    spoil(store.layout.action(KEY), b"nonsense")
    assert store.actions.get(KEY) is None
    (aside,) = store.layout.quarantine.iterdir()
    assert aside.read_bytes() == b"nonsense"
    assert store.actions.put(KEY, result).status == "new"
    assert store.actions.get(KEY) == result


def test_read_only_store_moves_nothing(store: Store, tmp_path: Path) -> None:
    """A reader that may not write leaves the damaged file where it is."""
    store.actions.put(KEY, result_of(store.put(b"1")))
    spoil(store.layout.action(KEY), b"nonsense")
    with Store.open(tmp_path / "s", read_only=True) as reader:
        assert reader.actions.get(KEY) is None
    assert store.layout.action(KEY).exists()


def test_broken_seal_is_verified(store: Store) -> None:
    """A touched object with the right bytes is present; with other bytes it is not, though its name is there."""
    id = store.put(b"content")
    store.actions.put(KEY, result_of(id))
    path = store.layout.object(id.digest)
    os.utime(path)
    assert store.actions.get(KEY) is not None
    assert store.intact(id.digest)
    spoil(path, b"CONTENT")
    assert store.actions.get(KEY) is None


def test_wrong_size_is_a_miss(store: Store) -> None:
    """A result that names an object with a size it does not have is of no use."""
    id = store.put(b"content")
    store.actions.put(KEY, result_of(ObjectId(id.digest, 99)))
    assert store.actions.get(KEY) is None


def lose_leaf(store: Store, leaf: ObjectId, inner: ObjectId, outer: ObjectId) -> None:
    store.layout.object(leaf.digest).unlink()


def lose_inner(store: Store, leaf: ObjectId, inner: ObjectId, outer: ObjectId) -> None:
    store.layout.object(inner.digest).unlink()


def spoil_outer(store: Store, leaf: ObjectId, inner: ObjectId, outer: ObjectId) -> None:
    spoil(store.layout.object(outer.digest), b"")


@pytest.mark.parametrize("harm", [lose_leaf, lose_inner, spoil_outer])
def test_tree_output_counts_only_whole(store: Store, harm: Callable[..., None]) -> None:
    """Every level below a tree output is looked at."""
    leaf = store.put(b"leaf")
    inner = put_tree(store, leaf)
    outer = put_tree(store, inner, kind=KIND_TREE)
    store.actions.put(KEY, result_of(outer, kind=KIND_TREE))
    assert store.actions.get(KEY) is not None
    harm(store, leaf, inner, outer)
    assert store.actions.get(KEY) is None


def test_file_named_as_tree_is_a_miss(store: Store) -> None:
    """An output that says tree and is none cannot be whole."""
    store.actions.put(KEY, result_of(store.put(b"no tree"), kind=KIND_TREE))
    assert store.actions.get(KEY) is None


def test_hit_leases_what_it_names(store: Store) -> None:
    """Key and outputs are in the lease before the caller sees the hit; whole trees are looked through once a lease."""
    tree = put_tree(store, store.put(b"leaf"))
    store.actions.put(KEY, result_of(tree, kind=KIND_TREE))
    with store.lease("test") as lease:
        assert store.actions.get(KEY) is not None
        assert lease.path.read_text().splitlines()[1:] == [f"r {KEY}", f"t {tree.digest}"]
        assert lease.whole == {tree.digest}
        assert store.actions.get(KEY) is not None
        lease.forget(tree.digest)
        assert not lease.whole
        lease.whole.add(tree.digest)
        lease.forget()
        assert not lease.whole


def test_keys_and_delete(store: Store) -> None:
    """Every key that has a file is listed, and a result can be forgotten."""
    other = digest_bytes(b"other")
    for key in (KEY, other):
        store.actions.put(key, result_of(store.put(b"1")))
    (store.layout.actions / "stray").write_text("x")
    assert sorted(store.actions.keys()) == sorted([KEY, other])
    assert store.actions.delete(KEY)
    assert not store.actions.delete(KEY)
    assert list(store.actions.keys()) == [other]


def test_unreadable_result_is_an_error_with_its_path(store: Store) -> None:
    """What is no file cannot be read; the error names it."""
    store.layout.action(KEY).mkdir(parents=True)
    with pytest.raises(StoreError, match=KEY):
        store.actions.load(KEY)


def test_get_many_is_get_for_each(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many keys at once give what each alone gives, over several passes of the gate, and are leased like it."""
    monkeypatch.setattr("store.actions.GROUP", 3)
    ids = [store.put(b"%d" % number) for number in range(8)]
    keys = [digest_bytes(b"key %d" % number) for number in range(8)]
    for key, id in zip(keys, ids, strict=True):
        store.actions.put(key, result_of(id))
    store.objects.path(ids[5].digest).unlink()
    absent = digest_bytes(b"absent")
    with store.lease("test") as lease:
        found = store.actions.get_many([*keys, absent])
        leased = lease.path.read_text()
    assert found == {key: result_of(id) for key, id in zip(keys, ids, strict=True) if id != ids[5]}
    assert all(f"f {id.digest}" in leased for id in ids if id != ids[5])
    assert f"f {ids[5].digest}" not in leased
    assert store.actions.get_many([]) == {}
