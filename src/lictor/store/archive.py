"""The file that a snapshot is: a tar archive under gzip, in the reference's shape, with content of our own.

    meta.json    what it is: format, revision, size
    state.bin    the entries in key order, each four bytes of length (big endian) and a msgpack array
    SHA256SUMS   the sums of the two

Everything here is plain blocking I/O on files; servers run it in a thread, the command line as it is. What the keys
mean is not known here.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import msgspec

from lictor import limits
from lictor.errors import StoreError
from lictor.store.base import Entry

META, STATE, SUMS = "meta.json", "state.bin", "SHA256SUMS"
FORMAT = "lictor-entries-1"

_PIECE = 256 * limits.KIB
_META_BYTES = 64 * limits.KIB
_GZIP_MAGIC = b"\x1f\x8b"
_LENGTH = struct.Struct(">I")

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)


class Meta(msgspec.Struct, frozen=True, rename="pascal"):
    """What meta.json says. `index` is the revision that was saved, `size` the length of the state in bytes."""

    version: int
    id: str
    index: int
    term: int
    size: int
    format: str = ""


def frame(entry: Entry) -> bytes:
    """One entry as it lies in the state."""
    packed = _encoder.encode(entry)
    return _LENGTH.pack(len(packed)) + packed


def entries(state: BinaryIO) -> Iterator[Entry]:
    """The entries of a state, from the file's position on. Raises StoreError where it is malformed."""
    while head := state.read(_LENGTH.size):
        length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else limits.SNAPSHOT_ENTRY_BYTES + 1
        if length > limits.SNAPSHOT_ENTRY_BYTES:
            raise StoreError("failed to read snapshot file: an entry is malformed")
        try:
            yield _decoder.decode(state.read(length))
        except msgspec.MsgspecError as error:
            raise StoreError(f"failed to read snapshot file: an entry is malformed: {error}") from None


def pack(meta: Meta, state: BinaryIO) -> Iterator[bytes]:
    """The archive, piece by piece. `state` holds `meta.size` bytes from its position on."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in _tar(meta, state):
        if packed := squeeze.compress(piece):
            yield packed
    yield squeeze.flush()


def unpack(file: BinaryIO, state: BinaryIO) -> Meta:
    """Checks a whole archive and copies its state into `state`. Raises StoreError with what is wrong with it."""
    if file.read(2) != _GZIP_MAGIC:
        raise StoreError("failed to decompress snapshot: gzip: invalid header")
    file.seek(-2, io.SEEK_CUR)
    reader = _Reader(gzip.GzipFile(fileobj=file, mode="rb"), limits.SNAPSHOT_STATE_BYTES + limits.MIB)
    try:
        return _checked(reader, state)
    except (OSError, EOFError, zlib.error, tarfile.TarError, msgspec.MsgspecError, ValueError) as error:
        raise StoreError(f"failed to read snapshot file: {error}") from None


def inspect(path: str) -> dict[str, Any]:
    """What a snapshot's file says of itself and how many keys of which kind it holds. Raises StoreError, OSError."""
    kinds: dict[str, list[int]] = {}

    def count(entry: Entry) -> None:
        kind = kinds.setdefault(entry.key.partition(b"/")[0].decode("utf-8", "replace"), [0, 0])
        kind[0] += 1
        kind[1] += len(frame(entry))

    with open(path, "rb") as file, tempfile.TemporaryFile() as state:
        meta = unpack(file, state)
        state.seek(0)
        for entry in entries(state):
            count(entry)
    types = [{"Name": name, "Count": number, "Size": size} for name, (number, size) in sorted(kinds.items())]
    return {
        "ID": meta.id,
        "Size": meta.size,
        "Index": meta.index,
        "Term": meta.term,
        "Version": meta.version,
        "Types": types,
    }


class _Reader:
    """Reads exactly what it is asked for, and no more than `limit` bytes altogether."""

    def __init__(self, inner: gzip.GzipFile, limit: int) -> None:
        self._inner = inner
        self._left = limit

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes. Raises ValueError when there are fewer, or too many for a snapshot."""
        self._left -= size
        if size < 0 or self._left < 0:
            raise ValueError("it unpacks to more than a snapshot may hold")
        while size:
            piece = self._inner.read(min(size, _PIECE))
            if not piece:
                raise ValueError("unexpected EOF")
            size -= len(piece)
            yield piece

    def block(self) -> bytes:
        """The next block of the archive."""
        return b"".join(self.pieces(tarfile.BLOCKSIZE))

    def only_padding_follows(self) -> bool:
        """Reads to the end; False when there is anything but zeros."""
        while piece := self._inner.read(_PIECE):
            self._left -= len(piece)
            if self._left < 0 or piece.strip(b"\0"):
                return False
        return True


def _tar(meta: Meta, state: BinaryIO) -> Iterator[bytes]:
    sums: dict[str, str] = {}

    def member(name: str, size: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        yield info.tobuf()
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
            yield piece
        yield bytes(-size % tarfile.BLOCKSIZE)
        sums[name] = digest.hexdigest()

    head = msgspec.json.encode(meta)
    yield from member(META, len(head), (head,))
    yield from member(STATE, meta.size, iter(lambda: state.read(_PIECE), b""))
    listed = "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()
    yield from member(SUMS, len(listed), (listed,))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _checked(reader: _Reader, state: BinaryIO) -> Meta:
    """Reads the three members, whatever their order, and compares the sums."""
    held: dict[str, bytes] = {}
    sums: dict[str, str] = {}
    while (head := reader.block()).strip(b"\0"):
        info = tarfile.TarInfo.frombuf(head, "utf-8", "replace")
        if info.name not in (META, STATE, SUMS) or not info.isreg():
            raise ValueError(f'unexpected file "{info.name[:64]}" in snapshot')
        if info.name in sums:
            raise ValueError(f'file "{info.name}" is there twice')
        if info.name != STATE and info.size > _META_BYTES:
            raise ValueError(f'file "{info.name}" is too large')
        kept = io.BytesIO()
        target = state if info.name == STATE else kept
        digest = hashlib.sha256()
        for piece in reader.pieces(info.size):
            digest.update(piece)
            target.write(piece)
        for _ in reader.pieces(-info.size % tarfile.BLOCKSIZE):
            pass
        sums[info.name], held[info.name] = digest.hexdigest(), kept.getvalue()
    if not reader.only_padding_follows():
        raise ValueError("something follows its end")
    for name in (META, STATE, SUMS):
        if name not in sums:
            raise ValueError(f'file missing for "{name}"')
    _compare(held[SUMS].decode(), {name: sums[name] for name in (META, STATE)})
    meta = msgspec.json.decode(held[META], type=Meta)
    if meta.format != FORMAT:
        raise ValueError("it was not saved by lictor")
    return meta


def _compare(listed: str, sums: dict[str, str]) -> None:
    found = {name: digest for digest, _, name in (line.partition("  ") for line in listed.splitlines())}
    for name, digest in sums.items():
        if name not in found:
            raise ValueError(f'failed checking integrity of snapshot: list missing hash for "{name}"')
        if found[name] != digest:
            raise ValueError(f'failed checking integrity of snapshot: hash check failed for "{name}"')
