#!/usr/bin/env python3
"""Gets files out of a Dura archive without Dura, be it whole or damaged.

    python3 recover.py list                          the backups that are here: one band each
    python3 recover.py ls BAND [PATH]                what is in a directory of one (-R: and below it)
    python3 recover.py restore BAND DEST [PATH...]   put all of a band, or these paths, into the directory DEST

BAND is one of those listed, or how its name begins, or "latest". The archive is where this file lies, or --archive DIR.

It needs Python 3.9 or later, the program zstd (Debian: apt install zstd), and gpg where the names of objects end in .gpg: gpg then
opens the archive's key with yours, or with a passphrase. Nothing else, and no network. It never writes into the archive, never
outside of DEST, and never over a file that exists. Run it as root to get owners and devices back. It says what it could
not save. Exit status: 0 all is well, 1 it failed, 3 it is done but for what it said.

How it works: a band's tail lists fences, a fence lists hunks, a hunk lists files: their metadata, and where in which blocks
their content is. Each names the SHA-256 of the next, and nothing is believed that does not agree. What the index has
lost is taken from the blocks (tars, compressed in frames, each with a footer that lists what is in it): those of the
band, and of the bands ahead of it. That finds content that is whole, but not where a file was moved to, nor that one was deleted.
dura.proto has the schema of everything; https://www.rfc-editor.org/rfc/rfc8878 is zstd.
"""
import argparse
import bisect
import collections
import functools
import hashlib
import io
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from types import SimpleNamespace

FILE, DIRECTORY, SYMLINK, FIFO, SOCKET, CHAR_DEVICE, BLOCK_DEVICE = range(1, 8)
BAND = re.compile(r"\d{4}-\d\d-\d\d-\d{6}-[0-9a-f]{6}")
MAX_FRAME, MAX_INDEX, MAX_OBJECT = 16 << 20, 64 << 20, 1 << 30  # what a frame or an index object decompresses to; any object
WINDOW = 64 << 20  # how much content is decompressed at a time
MAX_HASHED_HOLES = 1 << 30
MAX_FIELDS = 524288  # messages within one
troubles, told = collections.Counter(), set()


class Damaged(Exception):
    """Something is not there, or is not what it should be."""


def shown(name):
    """A name of any bytes as text that a terminal can take."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def trouble(what, where, why=""):
    """Says what is wrong: the first of a kind one by one, all of them counted at the end."""
    if (what, where) in told:
        return
    told.add((what, where))
    troubles[what] += 1
    if troubles[what] <= 20:
        print(f"recover.py: {shown(where) or '/'}: {what}" + (f": {why}" if str(why) else ""), file=sys.stderr)


# ---- Protocol buffers: the messages of dura.proto. The n-th word is field n: $ bytes, ~ signed, @M a message M, @@M many of them.

SCHEMA = {name: words.split() for name, words in {
    "Fence": "hunks@@HunkRef",
    "HunkRef": "band$ number stored_bytes sha256$ entries first_path$",
    "Hunk": "blocks@@Block frames@@Frame owners@@Owner entries@@Entry before@@HunkRef previous",
    "SpanList": "blocks@@Block frames@@Frame spans@@Span",
    "Block": "band$ number stored_bytes sha256$",
    "Frame": "block offset stored_bytes raw_bytes sum$",
    "Owner": "uid gid user$ group$",
    "Entry": "path$ kind mode owner mtime~ mtime_nanos ctime~ ctime_nanos size sha256$ data_sha256$ spans@@Span span_lists@@SpanListRef "
             "target$ device inode links link_to$ rdev_major rdev_minor xattrs@@XAttr unstable as_in_parent",
    "Span": "frame offset bytes sha256$ hole_bytes",
    "SpanListRef": "band$ number stored_bytes sha256$ content_bytes data_bytes",
    "XAttr": "name$ value$",
    "Footer": "band$ number frames@@FooterFrame members@@Member",
    "FooterFrame": "stored_bytes raw_bytes sum$",
    "Member": "path$ kind frame offset bytes sha256$ chunk start",
}.items()}
FIELDS = {name: [re.fullmatch(r"(\w+)([$~]|@@?)?(\w*)", w).groups() for w in words] for name, words in SCHEMA.items()}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (1 << 64) - 1, at
        shift += 7
        if shift > 63:
            raise Damaged("a number has no end")


def decode(name, data, left=None):
    """A message as an object with its fields. Unknown fields are passed over."""
    left = left or [MAX_FIELDS]
    fields = FIELDS[name]
    m = SimpleNamespace(**{f: b"" if t == "$" else [] if t == "@@" else 0 for f, t, _ in fields})
    values, at, end = m.__dict__, 0, len(data)
    try:
        while at < end:
            key, at = varint(data, at)
            if key & 7 == 0:
                value, at = varint(data, at)
            else:
                size, at = varint(data, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
                value, at = data[at:at + size], at + size
            number = (key >> 3) - 1
            if not 0 <= number < len(fields):
                continue
            field, kind, of = fields[number]
            if at > end or isinstance(value, int) != (kind in (None, "~")):
                raise Damaged("a field is cut short or of another type")
            if kind == "@@":
                left[0] -= 1
                if left[0] < 0:
                    raise Damaged("it has too many fields")
                values[field].append(decode(of, value, left))
            else:
                values[field] = (value >> 1) ^ -(value & 1) if kind == "~" else value
    except (IndexError, KeyError) as e:
        raise Damaged("it can't be decoded") from e
    return m


def parse_text(text):
    """DURA-ARCHIVE, a head or a tail: a dict of lists, in the layout in which Dura writes them."""
    stack = [{}]
    for line in text.decode("utf-8", "replace").split("\n"):
        line = line.strip()
        field = re.fullmatch(r'(\w+): (?:"((?:[^"\\]|\\.)*)"|(\S+))', line)
        if field:
            value = field[3] if field[2] is None else re.sub(
                rb"\\([0-7]{1,3}|.)", lambda m: bytes([int(m[1], 8) & 255]) if m[1][0] in b"01234567" else m[1], field[2].encode("utf-8"), flags=re.S)
            stack[-1].setdefault(field[1], []).append(value)
        elif re.fullmatch(r"\w+ \{", line):
            stack.append({})
            stack[-2].setdefault(line[:-2], []).append(stack[-1])
        elif line == "}" and len(stack) > 1:
            stack.pop()
        elif line:
            raise Damaged("it can't be read")
    return stack[0]


# ---- zstd and gpg

def run(command, parts, limit, errors=None):
    """Runs a program with parts as its input: its output, no more than limit bytes, and whether it was content with the input."""
    try:
        p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
    except FileNotFoundError:
        raise SystemExit(f"recover.py: the program {command[0]} is needed and not installed (Debian: apt install {command[0]})")

    def feed():
        try:
            for part in parts:
                p.stdin.write(part)
            p.stdin.close()
        except OSError:
            pass  # it has ended before

    feeder = threading.Thread(target=feed)
    feeder.start()
    out = p.stdout.read(limit + 1)
    p.stdout.close()
    feeder.join()
    return out[:limit], p.wait() == 0 and len(out) <= limit


def frame_size(data, at=0):
    """What the header of a zstd frame says: what it decompresses to, where its blocks begin, whether a checksum ends it."""
    if data[at:at + 4] != b"\x28\xb5\x2f\xfd" or len(data) < at + 5:
        raise Damaged("not a zstd frame")
    flags = data[at + 4]
    single = flags >> 5 & 1
    start = at + 5 + (1 - single) + (0, 1, 2, 4)[flags & 3]
    size = (single, 2, 4, 8)[flags >> 6]
    if size == 0 or len(data) < start + size:
        raise Damaged("a frame that does not say its size")
    return int.from_bytes(data[start:start + size], "little") + (256 if size == 2 else 0), start + size, flags >> 2 & 1


def frame_end(data, at):
    """Where the zstd frame at `at` ends, by the sizes of its blocks."""
    _, place, checksum = frame_size(data, at)
    while True:
        header = int.from_bytes(data[place:place + 3], "little")
        place += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)
        if place > len(data) or header >> 1 & 3 == 3:
            raise Damaged("a frame is cut short")
        if header & 1:
            return place + 4 * checksum


def decompress(frames, limit=MAX_FRAME):
    """Decompresses zstd frames, all by one process: a list with None in the place of each that is damaged."""
    sizes = []
    for f in frames:
        try:
            sizes.append(frame_size(f)[0])
        except Damaged:
            sizes.append(limit + 1)
    good = [i for i, size in enumerate(sizes) if size <= limit]
    raw, total = [None] * len(frames), sum(sizes[i] for i in good)
    if not good:
        return raw
    out, whole = run(["zstd", "-dcq"], [frames[i] for i in good], total, subprocess.DEVNULL)
    if whole and len(out) == total:
        at = 0
        for i in good:
            raw[i] = out[at:at + sizes[i]]
            at += sizes[i]
    elif len(good) > 1:  # find out which it was
        half = len(frames) // 2
        return decompress(frames[:half], limit) + decompress(frames[half:], limit)
    return raw


class Gpg:
    """Opens OpenPGP messages: with the archive's own secret key, which keys/archive.sec.<n>.gpg hold for you (it goes into
    a keyring for this run alone), or else with your keyring, as README.txt puts it there."""

    def __init__(self, root, passphrase_file):
        self.root, self.home = root, None
        self.options = ["--pinentry-mode", "loopback", "--passphrase-file", passphrase_file] if passphrase_file else []

    def open(self, message):
        if self.home is None:
            if not shutil.which("gpg"):
                raise SystemExit("recover.py: this archive is encrypted: the program gpg is needed and not installed (Debian: apt install gnupg)")
            self.unlock()
        return run(["gpg", *self.home, "--batch", "-q", "-d"], [message], MAX_OBJECT)

    def unlock(self):
        self.home = []
        folder = os.path.join(self.root, "keys")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if not re.fullmatch(r"archive\.sec\.\d+\.gpg", name):
                continue
            opened = subprocess.run(["gpg", *self.options, "-q", "-d", os.path.join(folder, name)], stdout=subprocess.PIPE)
            if opened.returncode == 0:
                base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # in memory, where there is that
                self.home = ["--homedir", tempfile.mkdtemp(prefix="recover-", dir=base)]
                subprocess.run(["gpg", *self.home, "--batch", "-q", "--import"], input=opened.stdout, check=True)
                return
        public = subprocess.run(["gpg", "--batch", "-q", "--with-colons", "--show-keys", os.path.join(folder, "archive.pub.asc")],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        key = re.search(rb"(?m)^fpr:+([0-9A-F]{40}):", public.stdout)
        if key and subprocess.run(["gpg", "--batch", "-q", "--list-secret-keys", key[1]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            raise SystemExit("recover.py: gpg opens none of keys/archive.sec.*.gpg, see above: import your secret key, or give --passphrase-file")

    def close(self):
        if self.home:
            subprocess.run(["gpgconf", *self.home, "--kill", "all"], stderr=subprocess.DEVNULL)
            shutil.rmtree(self.home[1], ignore_errors=True)


# ---- Paths and their order: see FORMAT.md, section 3

def key(path):
    """Sorts paths as an index does: the entries of one directory together, ahead of what is below its subdirectories."""
    parent, _, name = path.rpartition(b"/")
    return (tuple(parent.split(b"/")) if parent else (), name) if path else ((), b"")


class Selection:
    """The paths that are asked for: these, what is below them, and the directories above them. With deep False: one
    directory, and what is right in it."""

    def __init__(self, paths, deep=True):
        self.paths, self.deep = set(paths), deep
        self.above = {p[:i] for p in paths for i, c in enumerate(p) if c == 47} | {b""} if deep else set()
        self.ranges = [(key(p), key(p)) for p in self.paths | self.above]
        for p in paths:
            at = tuple(p.split(b"/")) if p else ()
            behind = at + (b"",) if not deep else at[:-1] + (at[-1] + b"\0",) if at else None
            self.ranges.append(((at, b""), behind and (behind, b"")))

    def has(self, path):
        if path in self.paths or path in self.above:
            return True
        if not self.deep:
            return path.rpartition(b"/")[0] in self.paths
        return any(not p or path.startswith(p + b"/") for p in self.paths)

    def meets(self, first, behind):
        """Whether any of it may lie from the path first on, ahead of the path behind (None: to the end)."""
        return any((behind is None or start < key(behind)) and (end is None or key(first) <= end) for start, end in self.ranges)


class Covered:
    """The stretches of paths of which the index is known."""

    def __init__(self):
        self.first, self.last = [], []

    def add(self, first, last):
        at = bisect.bisect(self.first, first)
        self.first.insert(at, first)
        self.last.insert(at, last)

    def has(self, k):
        at = bisect.bisect(self.first, k) - 1
        return at >= 0 and k <= self.last[at]


# ---- What an entry is, wherever it comes from

Frame = collections.namedtuple("Frame", "band number offset stored raw sum")  # sum: the first 16 bytes of its SHA-256
Piece = collections.namedtuple("Piece", "hole frame offset bytes sha256")     # hole: how many bytes of hole stand ahead of it


class Entry:
    __slots__ = ("path", "kind", "mode", "uid", "gid", "user", "group", "mtime", "size", "sha256", "data_sha256", "pieces", "lists",
                 "target", "link_to", "linked", "rdev", "xattrs", "as_in_parent", "from_blocks", "doubt")

    def __init__(self, **values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def take(self, other, names="size sha256 data_sha256 pieces lists"):
        for name in names.split():
            setattr(self, name, getattr(other, name))


# ---- The archive

def object_name(band, kind, number=0):
    """The name of an object below bands/."""
    if not BAND.fullmatch(band):
        raise Damaged(f"{band!r} is no band")
    folder = f"{band}/{'data' if kind == 'tar' else 'index'}"
    return f"{folder}/{number:06d}.fence.zst" if kind == "fence" else f"{folder}/{number // 1000:03d}/{number:06d}.{kind}.zst"


class Archive:
    def __init__(self, root, passphrase_file=None):
        self.root = os.path.abspath(root)
        self.gpg = Gpg(self.root, passphrase_file)
        if not os.path.isdir(os.path.join(self.root, "bands")):
            raise SystemExit(f"recover.py: there is no archive in {self.root}: it has no directory bands. Name it: --archive DIR")
        names = os.listdir(os.path.join(self.root, "bands"))
        self.bands = sorted({n[:24] for n in names if BAND.match(n)})
        self.encrypted = os.path.isdir(os.path.join(self.root, "keys")) or any(BAND.match(n) and n.endswith(".gpg") for n in names)
        self.frames, self.frame_bytes, self.unchecked = {}, 0, set()
        # What is read again and again is kept for a while.
        self.block = functools.lru_cache(4)(self.block)
        self.message = functools.lru_cache(8)(self.message)
        self.sums = functools.lru_cache(8)(self.sums)
        self.parent = functools.lru_cache(64)(self.parent)

    def file(self, name):
        """The file of an object, and whether that is encrypted: one that is not is no part of an archive that is."""
        path = os.path.join(self.root, "bands", name)
        if name.endswith("sha256"):
            return path, False
        if self.encrypted or not os.path.exists(path) and os.path.exists(path + ".gpg"):
            return path + ".gpg", True
        return path, False

    def repaired(self, name):
        """The copies of a lost or damaged object that `dura repair` made, the last one first."""
        folder = os.path.join(self.root, "bands", name[:24], "repaired")
        rounds = sorted((int(r) for r in (os.listdir(folder) if os.path.isdir(folder) else []) if r.isdecimal()), reverse=True)
        names = (f"{name[:24]}/repaired/{r}/{name[25:]}" for r in rounds)
        return [n for n in names if os.path.exists(self.file(n)[0])]

    def load(self, name, sha256=None, partly=False):
        """An object, decrypted, or its repaired copy. Its stored bytes must have the hash given, or the one that .sha256 has for
        it, if any. With partly True it may be damaged: what comes of it is checked otherwise."""
        try:
            return self.load_as(name, name, sha256, partly)
        except Damaged:
            for copy in self.repaired(name):
                try:
                    return self.load_as(copy, name, sha256, partly)
                except Damaged:
                    pass
            raise

    def load_as(self, stored, name, sha256, partly):
        path, encrypted = self.file(stored)
        try:
            if os.path.getsize(path) > MAX_OBJECT:
                raise Damaged("it is too large")
            with open(path, "rb") as f:
                data = f.read()
        except FileNotFoundError:
            raise Damaged("it is missing")
        except OSError as e:
            raise Damaged(e.strerror)
        sha256 = sha256 or self.sums(name[:24]).get(name + ".gpg" * encrypted)
        if not partly and sha256 and hashlib.sha256(data).digest() != sha256:
            raise Damaged("it is not what was written: its SHA-256 is another")
        if encrypted:
            data, whole = self.gpg.open(data)
            if not (whole or partly) or not data:
                raise Damaged("gpg can't open it")
        return data

    def sums(self, band):
        """What <band>.sha256 says, or its last repaired copy."""
        sums, name = {}, band + ".sha256"
        try:
            with open(os.path.join(self.root, "bands", (self.repaired(name) or [name])[0]), "rb") as f:
                for line in f.read(MAX_OBJECT).split(b"\n"):
                    if re.fullmatch(rb"[0-9a-f]{64}  [a-z0-9._/-]+", line):
                        sums[line[66:].decode("ascii")] = bytes.fromhex(line[:64].decode("ascii"))
        except OSError:
            pass
        return sums

    def numbers(self, band, kind):
        """The numbers of a band's objects of a kind: those that are there, and those that .sha256 knows."""
        pattern = re.compile(re.escape(band) + r"/(?:data|index)/(?:\d+/)?(\d+)\." + kind + r"\.zst(?:\.gpg)?")
        here = os.path.join(self.root, "bands")
        names = [os.path.relpath(os.path.join(d, n), here) for d, _, files in os.walk(os.path.join(here, band)) for n in files]
        found = (pattern.fullmatch(n) for n in [*names, *self.sums(band)])
        return sorted({int(m[1]) for m in found if m and int(m[1]) < 1 << 63})

    def message(self, schema, kind, band, number, sha256):
        """A fence, hunk or span list."""
        name = object_name(band, kind, number)
        try:
            raw = decompress([self.load(name, sha256)], MAX_INDEX)[0]
            if raw is None:
                raise Damaged("it does not decompress")
            return decode(schema, raw)
        except Damaged as e:
            trouble("lost", "bands/" + name, e)
            raise

    def text(self, band, kind):
        """The head or tail of a band, or None. Of an index that was rebuilt the last tail that can be read counts."""
        rounds = [int(m[1]) for m in (re.fullmatch(re.escape(band) + r"\.tail-(\d+)(?:\.gpg)?", n) for n in os.listdir(os.path.join(self.root, "bands"))) if m]
        for r in sorted(rounds, reverse=True) if kind == "tail" else ():
            try:
                return parse_text(self.load(f"{band}.tail-{r}"))
            except Damaged as e:
                trouble("lost", f"bands/{band}.tail-{r}", e)
        try:
            return parse_text(self.load(f"{band}.{kind}"))
        except Damaged as e:
            if kind == "head" or f"{band}.sha256" in os.listdir(os.path.join(self.root, "bands")):
                trouble("lost", f"bands/{band}.{kind}", e)
            return None

    def parent(self, band):
        """The band that this one took unchanged files from: "" for none, None where its head is lost."""
        head = self.text(band, "head")
        return None if head is None else head.get("parent", [b""])[0].decode("ascii", "replace")

    # ---- The index

    def fences(self, band):
        """References to the fences of a band, and what is known of it: "complete", "damaged" or "incomplete"."""
        tail = self.text(band, "tail")
        try:
            refs = [SimpleNamespace(
                band=f.get("band", [b""])[0].decode("ascii", "replace") or band, number=int(f.get("number", [0])[0]),
                sha256=bytes.fromhex(f["sha256"][0].decode("ascii")), first_path=f.get("first_path", [b""])[0],
                entries=int(f["entries"][0])) for f in tail["fences"]]
            if sum(r.entries for r in refs) == int(tail["totals"][0]["entries"][0]) > 0:
                return refs, "complete"
            trouble("lost", f"bands/{band}.tail", "it is cut short")
        except (TypeError, KeyError, ValueError, AttributeError):
            if tail is not None:
                trouble("lost", f"bands/{band}.tail", "it can't be read")
        refs = [SimpleNamespace(band=band, number=n, sha256=None, first_path=None) for n in self.numbers(band, "fence")]
        return refs, "damaged" if tail or self.sums(band) else "incomplete"

    def references(self, band, wanted):
        """References to the hunks of a band in path order, then to some that may overlap with these, and what is known of it."""
        fences, state = self.fences(band)
        refs, rest, own = [], [], set()
        for i, f in enumerate(fences):
            behind = fences[i + 1].first_path if i + 1 < len(fences) else None
            if f.first_path is not None and not wanted.meets(f.first_path, behind):
                continue
            try:
                refs += self.message("Fence", "fence", f.band, f.number, f.sha256).hunks
            except Damaged:
                state = "damaged"
        if state != "complete":
            # Hunks that no fence has. FORMAT.md, section 6, says how each tells which one it stands behind.
            own = {r.number for r in refs if r.band == band.encode()}
            loose, ahead = {}, {}
            for n in self.numbers(band, "hunk"):
                if n not in own:
                    try:
                        loose[n] = self.message("Hunk", "hunk", band, n, None)
                        p = loose[n].previous
                        ahead[(n - 1 if n else None) if p == 0 else None if p == 1 else p - 2] = n
                    except Damaged:
                        state = "damaged"
            at, row = max(own, default=None), []
            while at in ahead:
                at = ahead.pop(at)
                row.append(at)
            for n in row + sorted(set(loose) - set(row), reverse=True):
                found = [*loose[n].before, SimpleNamespace(band=band.encode(), number=n, sha256=None, first_path=loose[n].entries[0].path)] \
                    if loose[n].entries else []
                if n in row:
                    refs += found
                else:
                    rest += found
            if rest or not refs:
                state = "damaged"  # what these stood behind is not there
        return sorted(refs, key=lambda r: key(r.first_path)), rest, state

    def hunk(self, ref):
        """The entries of a hunk."""
        band = ref.band.decode("ascii", "replace")
        m = self.message("Hunk", "hunk", band, ref.number, ref.sha256)
        try:
            blocks = [(b.band.decode("ascii", "replace"), b.number) for b in m.blocks]
            frames = [Frame(*blocks[f.block], f.offset, f.stored_bytes, f.raw_bytes, f.sum) for f in m.frames]
            return [self.entry(e, m.owners[e.owner], frames) for e in m.entries]
        except IndexError:
            trouble("lost", "bands/" + object_name(band, "hunk", ref.number), "it refers to what it does not have")
            raise Damaged()

    def entry(self, e, owner, frames):
        return Entry(
            path=e.path, kind=e.kind, mode=e.mode & 0o7777, uid=owner.uid, gid=owner.gid, user=owner.user, group=owner.group,
            mtime=e.mtime * 10**9 + e.mtime_nanos, size=e.size, sha256=e.sha256, data_sha256=e.data_sha256,
            pieces=[Piece(s.hole_bytes, frames[s.frame], s.offset, s.bytes, s.sha256) for s in e.spans], lists=e.span_lists,
            target=e.target, link_to=e.link_to, linked=e.links > 1, rdev=(e.rdev_major, e.rdev_minor), xattrs=e.xattrs,
            as_in_parent=e.as_in_parent)

    def entries(self, band, wanted, blocks=True, content=False):
        """The entries of a band that are wanted: by its index and, for what that has lost, by the blocks. With content, also for
        where the content of large files is."""
        refs, rest, state = self.references(band, wanted)
        covered, without = Covered(), {}
        for i, ref in enumerate(refs + rest):
            behind = refs[i + 1].first_path if i + 1 < len(refs) else None
            if not wanted.meets(ref.first_path, behind):
                continue
            try:
                found = self.hunk(ref)
            except Damaged:
                state = "damaged"
                continue
            if i >= len(refs):
                found = [e for e in found if not covered.has(key(e.path))]
            if found:
                covered.add(key(found[0].path), key(found[-1].path))
            for e in found:
                if wanted.has(e.path):
                    e = self.resolved(band, e) if e.as_in_parent and blocks else e
                    if content and not self.has_lists(e):
                        without[e.path] = e
                    else:
                        yield e
        if (state == "damaged" or without) and blocks:
            for e in self.rescue(band, lambda p: p in without or state == "damaged" and wanted.has(p) and not covered.has(key(p))):
                if e.path in without:  # whose hash tells whether that is all of it
                    e, pieces = without.pop(e.path), e.pieces
                    e.pieces, e.lists = pieces, []
                yield e
        yield from without.values()

    def has_lists(self, e):
        """Whether the span lists of an entry are there."""
        try:
            for s in e.lists or []:
                self.message("SpanList", "spans", s.band.decode("ascii", "replace"), s.number, s.sha256)
            return True
        except Damaged:
            return False

    def lookup(self, band, path):
        """The entry of a path by the index of a band, or None."""
        return next((e for e in self.entries(band, Selection([path], deep=False), blocks=False) if e.path == path), None)

    def resolved(self, band, e):
        """An entry that has its content from the same path in the parent."""
        for _ in range(1000):
            band = self.parent(band)
            there = self.lookup(band, e.path) if band else None
            if there is None:
                break
            if not there.as_in_parent:
                e.take(there)
                return e
        e.doubt = "its content is that of a band that can't be read"
        return e

    # ---- Blocks

    def block(self, band, number):
        """A block, as a file to read."""
        name = object_name(band, "tar", number)
        path, encrypted = self.file(name)
        return io.BytesIO(self.load(name, partly=True)) if encrypted else open(path, "rb")

    def stored(self, frame):
        """The stored bytes of a frame, or none where they are not what they were."""
        try:
            file = self.block(frame.band, frame.number)
            file.seek(frame.offset)
            data = file.read(min(frame.stored, MAX_FRAME * 129 // 128))
            return data if hashlib.sha256(data).digest()[:16] == frame.sum and frame_size(data)[0] == frame.raw else b""
        except (OSError, OverflowError, Damaged):
            return b""

    def load_frames(self, frames):
        """What frames decompress to, None for a damaged one. They stay at hand for a while."""
        if self.frame_bytes > 2 * WINDOW:
            self.frames = {f: self.frames[f] for f in frames if f in self.frames}
            self.frame_bytes = sum(f.raw for f in self.frames)
        missing = [f for f in dict.fromkeys(frames) if f not in self.frames]
        self.frames.update(zip(missing, decompress([self.stored(f) for f in missing])))
        self.frame_bytes += sum(f.raw for f in missing)
        return self.frames

    def footer(self, band, number):
        """The frames of a block, and its members by frame and place; members are None where the footer is lost."""
        name = object_name(band, "tar", number)
        try:
            file = self.block(band, number)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 9))
            end = file.read(9)
            table = 8 + 8 * int.from_bytes(end[:4], "little") + 9
            if end[5:] != b"\xb1\xea\x92\x8f" or table > min(size, MAX_INDEX):
                raise Damaged("it does not end in a seek table")
            file.seek(size - table)
            length = int.from_bytes(file.read(table)[-17:-13], "little")
            file.seek(max(0, size - table - length))
            footer = decode("Footer", decompress([file.read(min(length, MAX_INDEX))[8:]], MAX_INDEX)[0] or b"")
            if (footer.band.decode("ascii", "replace"), footer.number) != (band, number):
                raise Damaged("it has no footer, or that of another block")
        except (OSError, Damaged) as e:
            trouble("damaged", "bands/" + name, e.strerror if isinstance(e, OSError) else e)
            return self.search(band, number), None
        frames, at = [], 0
        for f in footer.frames:
            frames.append(Frame(band, number, at, f.stored_bytes, f.raw_bytes, f.sum))
            at += f.stored_bytes
        return frames, {(m.frame, m.offset): m for m in footer.members if m.frame < len(frames)}

    def search(self, band, number):
        """The frames of a block without a footer: whatever looks like one and decompresses."""
        try:
            file = self.block(band, number)
            file.seek(0)
            data = file.read(MAX_OBJECT)
        except (OSError, Damaged):
            return []
        frames, at = [], data.find(b"\x28\xb5\x2f\xfd")
        while at >= 0:
            try:
                end = frame_end(data, at)
                raw = decompress([data[at:end]])[0]
            except Damaged:
                raw = None
            if raw is not None:
                frames.append(Frame(band, number, at, end - at, len(raw), hashlib.sha256(data[at:end]).digest()[:16]))
                if not frame_size(data, at)[2]:
                    self.unchecked.add(frames[-1])
            at = data.find(b"\x28\xb5\x2f\xfd", at + 4 if raw is None else end)
        return frames

    def rescue(self, band, asked):
        """What the blocks hold of the paths asked for: the latest of each, in the band and those it came from."""
        chain = [band]
        known = os.path.exists(self.file(f"{band}.tail")[0]) or self.sums(band)  # it was complete
        while known and self.parent(chain[-1]) and self.parent(chain[-1]) not in chain:
            chain.append(self.parent(chain[-1]))
        if known and (self.parent(chain[-1]) is None or chain[-1] not in self.bands):
            chain = [b for b in reversed(self.bands) if b <= band]  # heads are lost: any may be
        trouble("taken from blocks", f"bands/{band}", "what the index lost. Of what was moved, or took new metadata alone, the latest may lack;"
                " what was deleted is there again")
        found = {}
        for rank, b in enumerate(reversed(chain)):
            self.scan(b, rank, found, asked)
        for path in sorted(found, key=key):
            e = found[path]
            if e.link_to is not None:
                first = found.get(e.link_to) or self.lookup(band, e.link_to)
                if first:
                    e.take(first, "kind size sha256 data_sha256 pieces lists target rdev xattrs doubt")
                    first.linked = e.linked = True
                else:
                    e.doubt = "it is another name of " + shown(e.link_to)
            elif isinstance(e.pieces, dict):
                join(e)
            yield e

    def scan(self, band, rank, found, asked):
        """Puts what the blocks of a band hold of the paths asked for into found."""
        by_hash, by_name, lost = {}, {}, rank > 0 or band != self.bands[0]
        for number in self.numbers(band, "tar"):
            frames, members = self.footer(band, number)
            lost = lost or members is None
            here = collections.defaultdict(dict)
            for (i, at), m in (members or {}).items():
                if m.bytes:
                    by_hash[m.sha256] = Piece(0, frames[i], m.offset, m.bytes, m.sha256)
                if asked(m.path):
                    here[i][at] = m
            needed = [i for i in range(len(frames)) if members is None or i in here]
            for group in (needed[n:n + 16] for n in range(0, len(needed), 16)):
                have = self.load_frames([frames[i] for i in group])
                for i in group:
                    if have[frames[i]] is None:
                        lost = True
                        for m in here[i].values():
                            e = Entry(path=m.path, kind=m.kind, from_blocks=True, sha256=b"" if m.chunk else m.sha256, doubt="a frame of a block is damaged")
                            piece = Piece(0, frames[i], m.offset, m.bytes, m.sha256) if m.bytes else by_hash.get(m.sha256)
                            place(found, e, m.start if m.chunk else None, piece, rank, lost)
                        continue
                    for t in tar_members(have[frames[i]]):
                        m = here[i].get(t.at)
                        if members is None or m:
                            self.member(found, t, m, frames[i], by_hash, by_name, asked, rank, lost)

    def member(self, found, t, m, frame, by_hash, by_name, asked, rank, lost):
        """Takes up one member of a tar; m is what the footer says of it."""
        part = re.fullmatch(rb"(.*)\.dura-part/(\d{16,})", t.name, re.S)
        if m:
            path, start = m.path, m.start if m.chunk else None
        else:
            path, start = (part[1], int(part[2])) if part else (t.name.rstrip(b"/") if t.name != b"./" else b"", None)
        kind = m.kind if m else {b"0": FILE, b"1": FILE, b"2": SYMLINK, b"3": CHAR_DEVICE, b"4": BLOCK_DEVICE, b"5": DIRECTORY, b"6": FIFO}.get(t.type)
        e = Entry(path=path, kind=kind, mode=t.mode & 0o7777, uid=t.uid, gid=t.gid, user=t.user, group=t.group, mtime=t.mtime * 10**9, size=t.size,
                  sha256=m.sha256 if m and start is None else b"", target=t.link, rdev=t.rdev, xattrs=t.xattrs, linked=False,
                  from_blocks=True, doubt="nothing vouches for its content" if frame in self.unchecked else None)
        piece = Piece(0, frame, t.at, t.size, m.sha256 if m else b"")
        by_name[t.name] = piece
        if t.type == b"1" and kind == FILE and (m is None or m.sha256):  # content that an earlier member has
            piece = by_hash.get(m.sha256) if m else by_name.get(t.link)
            by_name[t.name] = piece
            if piece is None:
                e.doubt = "it has the content of " + shown(t.link) + ", which is lost"
        elif t.type == b"1":
            e.link_to = t.link
        elif t.type == b"2" and kind == FILE:  # another name of a file in chunks
            e.link_to = os.path.normpath(b"/" + os.path.dirname(path) + b"/" + t.link).lstrip(b"/")
        if asked(path):
            place(found, e, start, piece, rank, lost)


def place(found, e, start, piece, rank, lost):
    """Puts an entry into found, or one chunk of it."""
    old = found.get(e.path)
    if start is None:
        e.pieces = [piece] if piece and e.kind == FILE else []
        e.size = e.size if piece is None else piece.bytes
    else:
        e.pieces = old.pieces if old and isinstance(old.pieces, dict) else {}
        e.pieces[start] = (rank, piece)
        e.size = None
        if lost and not e.doubt:
            e.doubt = "put together from parts; some may lack"
        if old and isinstance(old.pieces, dict) and e.mode is None:
            old.doubt, e = e.doubt, old
    found[e.path] = e


def join(e):
    """Makes a file of its chunks; where they overlap the latest counts."""
    kept = []
    for start, (rank, piece) in sorted(e.pieces.items()):
        size = piece.bytes if piece else 0
        while kept and kept[-1][0] + kept[-1][1] > start and kept[-1][2] <= rank:
            kept.pop()
        if not kept or kept[-1][0] + kept[-1][1] <= start:
            kept.append((start, size, rank, piece))
    e.pieces, e.size = [], 0
    for start, size, _, piece in kept:
        if size:
            e.pieces.append(piece._replace(hole=start - e.size))
        e.size = start + size


def tar_members(raw):
    """The members of a tar, at the places of their content."""
    at, pax = 0, {}
    while at + 512 <= len(raw):
        h, at = raw[at:at + 512], at + 512
        number = lambda start, end: int(h[start:end].rstrip(b" \0") or b"0", 8)
        text = lambda start, end: h[start:end].partition(b"\0")[0]
        try:
            if not any(h):
                continue
            if number(148, 156) != sum(h) - sum(h[148:156]) + 256 or at + number(124, 136) > len(raw):
                return
            size = number(124, 136)
            if h[156:157] == b"x":
                pax = pax_records(raw[at:at + size])
            else:
                prefix = text(345, 500)
                yield SimpleNamespace(
                    name=pax.get(b"path", prefix + b"/" * bool(prefix) + text(0, 100)), type=h[156:157], size=size, at=at,
                    link=pax.get(b"linkpath", text(157, 257)), mode=number(100, 108), uid=int(pax.get(b"uid", number(108, 116))),
                    gid=int(pax.get(b"gid", number(116, 124))), mtime=int(pax.get(b"mtime", number(136, 148))),
                    user=pax.get(b"uname", text(265, 297)), group=pax.get(b"gname", text(297, 329)), rdev=(number(329, 337), number(337, 345)),
                    xattrs=[SimpleNamespace(name=k[13:], value=v) for k, v in pax.items() if k.startswith(b"SCHILY.xattr.")])
                pax = {}
        except ValueError:
            return
        at += size + -size % 512


def pax_records(data):
    records = {}
    while data:
        length = int(data.partition(b" ")[0])
        name, equals, value = data[:length].partition(b" ")[2].partition(b"=")
        if length < 5 or not equals or value[-1:] != b"\n":
            raise ValueError
        records[name], data = value[:-1], data[length:]
    return records


# ---- Restoring

class Restore:
    """Puts entries below a directory. Every name is looked up in its directory's descriptor and no symbolic link is followed on
    the way, so nothing is written elsewhere, whatever an archive says."""

    def __init__(self, archive, dest, owner, partial):
        self.archive, self.owner, self.partial = archive, owner, partial
        self.fresh = not os.path.lexists(dest)
        os.makedirs(dest, exist_ok=True)
        self.root = os.open(dest, os.O_RDONLY | os.O_DIRECTORY)
        self.at, self.fd = b"", os.dup(self.root)
        self.made = {}   # directories that were not there, with their entries
        self.links = {}  # files with several names: the first one's path, and which file that is now
        self.temporary = f".dura-recover-{os.urandom(4).hex()}"
        self.count = self.bytes = 0

    def parent(self, path):
        """The descriptor of the directory that a path is in, which is made if it is not there, and the name."""
        names = path.split(b"/")
        if any(n in (b"", b".", b"..") or b"\0" in n for n in names):
            raise Damaged("no path that may be")
        if self.at is None or path.rpartition(b"/")[0] != self.at:
            self.at = None
            os.close(self.fd)
            self.fd = os.dup(self.root)
            for i, name in enumerate(names[:-1]):
                try:
                    os.mkdir(name, 0o700, dir_fd=self.fd)
                    self.made[b"/".join(names[:i + 1])] = None
                except FileExistsError:
                    pass
                below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self.fd)
                os.close(self.fd)
                self.fd = below
            self.at = path.rpartition(b"/")[0]
        return self.fd, names[-1]

    def all(self, entries):
        batch, frames = [], {}
        for e in entries:
            batch.append(e)
            frames.update((p.frame, p.frame.raw) for p in e.pieces or [])
            if sum(frames.values()) > WINDOW or len(batch) >= 1024:
                self.batch(batch, frames)
                batch, frames = [], {}
        self.batch(batch, frames)
        for path in sorted(self.made, key=key, reverse=True):  # what is inside first
            if self.made[path]:
                self.careful(self.finish_directory, self.made[path])

    def batch(self, entries, frames):
        if sum(frames.values()) <= 2 * WINDOW:
            self.archive.load_frames(list(frames))  # by one process
        for e in entries:
            self.careful(self.entry, e)

    def careful(self, function, e):
        try:
            function(e)
        except FileExistsError:
            trouble("exists", e.path, "left as it is")
        except (OSError, OverflowError, ValueError) as error:
            trouble("not restored", e.path, getattr(error, "strerror", None) or error)
        except Damaged as error:
            trouble("lost", e.path, error)

    def entry(self, e):
        if e.path == b"":
            if self.fresh:
                self.made[e.path] = e
            return
        fd, name = self.parent(e.path)
        if e.kind == DIRECTORY:
            try:
                os.mkdir(name, 0o700, dir_fd=fd)
                self.made[e.path] = e
            except FileExistsError:
                if not stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
                    raise
                if e.path in self.made:
                    self.made[e.path] = e
            self.count += 1
            return
        if self.link(e, fd, name):
            self.count += 1
            return
        if e.kind == FILE:
            self.regular(e, fd, name)
        elif e.mode is None or e.doubt:
            raise Damaged(e.doubt)
        else:
            self.node(e, fd, name)
        self.count += 1
        if e.linked or e.link_to:
            st = os.stat(name, dir_fd=fd, follow_symlinks=False)
            self.links[e.link_to or e.path] = e.path, (st.st_dev, st.st_ino)

    def link(self, e, fd, name):
        """Makes a further name of a file that is restored already, if it is one."""
        path, which = self.links.get(e.link_to or e.path, (None, None))
        if path is None:
            return False
        fd = os.dup(fd)
        try:
            there, old = self.parent(path)
            st = os.stat(old, dir_fd=there, follow_symlinks=False)
            if (st.st_dev, st.st_ino) != which:
                return False
            os.link(old, name, src_dir_fd=there, dst_dir_fd=fd, follow_symlinks=False)
            return True
        finally:
            os.close(fd)

    def node(self, e, fd, name):
        if e.kind == SYMLINK:
            os.symlink(e.target, name, dir_fd=fd)
        elif e.kind in (FIFO, SOCKET, CHAR_DEVICE, BLOCK_DEVICE):
            kind = {FIFO: stat.S_IFIFO, SOCKET: stat.S_IFSOCK, CHAR_DEVICE: stat.S_IFCHR, BLOCK_DEVICE: stat.S_IFBLK}[e.kind]
            os.mknod(name, kind | 0o600, os.makedev(*e.rdev) if e.kind >= CHAR_DEVICE else 0, dir_fd=fd)
        else:
            raise Damaged(f"of kind {e.kind}, which is unknown")
        self.dress(e, None, fd, name)

    def regular(self, e, fd, name):
        """A regular file: it gets its name once all of it is there and agrees with its hash."""
        if not e.pieces and not e.lists and (e.doubt or e.size and not (e.sha256 or e.data_sha256 or e.from_blocks)):
            raise Damaged(e.doubt or "its content was not stored")
        file = os.open(self.temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=fd)
        try:
            lost = self.content(e, file)
            if lost:
                trouble("lost", e.path, "; ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else ""))
                if not self.partial:
                    return
                name += b".dura-partial"
            self.dress(e, file)
            os.link(self.temporary, name, src_dir_fd=fd, dst_dir_fd=fd, follow_symlinks=False)
            if e.doubt and not lost:
                trouble("in doubt", e.path, e.doubt)
        finally:
            os.close(file)
            os.unlink(self.temporary, dir_fd=fd)

    def pieces(self, e):
        yield from e.pieces or []
        for ref in e.lists or []:
            m = self.archive.message("SpanList", "spans", ref.band.decode("ascii", "replace"), ref.number, ref.sha256)
            try:
                blocks = [(b.band.decode("ascii", "replace"), b.number) for b in m.blocks]
                frames = [Frame(*blocks[f.block], f.offset, f.stored_bytes, f.raw_bytes, f.sum) for f in m.frames]
                yield from [Piece(s.hole_bytes, frames[s.frame], s.offset, s.bytes, s.sha256) for s in m.spans]
            except IndexError:
                raise Damaged("a span list refers to what it does not have")

    def content(self, e, file):
        """Writes the content of a file, and says what of it is lost."""
        digest, at, lost, window, size = hashlib.sha256(), 0, [], [], 0
        pieces = self.pieces(e)
        while pieces or window:
            piece = next(pieces, None) if pieces else None
            if piece:
                window.append(piece)
                size += piece.frame.raw
                if size < WINDOW:
                    continue
            else:
                pieces = None
            have = self.archive.load_frames([p.frame for p in window])
            for p in window:
                self.hole(digest, e, p.hole)
                at += p.hole
                raw = have[p.frame]
                data = memoryview(raw or b"")[p.offset:p.offset + p.bytes]
                if at + p.bytes > e.size:
                    raise Damaged("it has more content than bytes")
                if len(data) != p.bytes or p.sha256 and hashlib.sha256(data).digest() != p.sha256:
                    lost.append(f"{p.bytes} bytes from {at} on, in bands/{object_name(p.frame.band, 'tar', p.frame.number)}")
                else:
                    digest.update(data)
                    done = 0
                    while done < p.bytes:
                        done += os.pwrite(file, data[done:], at + done)
                    self.bytes += p.bytes
                at += p.bytes
            window, size = [], 0
        self.hole(digest, e, e.size - at)
        os.ftruncate(file, e.size)
        expected = e.sha256 or e.data_sha256
        if not lost and expected and digest.digest() != expected:
            lost.append("its SHA-256 is another")
        return lost

    def hole(self, digest, e, size):
        if e.sha256 and size > 0:
            if size > MAX_HASHED_HOLES:
                raise Damaged("it has too large a hole")
            zeros = bytes(min(size, 1 << 20))
            for start in range(0, size, 1 << 20):
                digest.update(zeros[:size - start])

    def finish_directory(self, e):
        folder, name = self.parent(e.path) if e.path else (self.root, b".")
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            self.dress(e, fd)
        finally:
            os.close(fd)

    def dress(self, e, fd, folder=None, name=None):
        """Owner, attributes, mode and times, in the order in which one does not undo the other: of an open file, or of what a
        name in a folder stands for."""
        if e.mode is None:
            return
        what, where = (fd, {}) if folder is None else (name, {"dir_fd": folder, "follow_symlinks": False})
        st, mode = os.stat(what, **where), e.mode
        if not self.owner:
            mode &= 0o1777
        elif (st.st_uid, st.st_gid) != (e.uid, e.gid):
            try:
                os.chown(what, e.uid, e.gid, **where)
            except (OSError, OverflowError) as error:
                trouble("owner not set", e.path, getattr(error, "strerror", None) or error)
                mode &= 0o1777
        for x in e.xattrs or []:
            try:
                if folder is None:
                    os.setxattr(fd, x.name, x.value)
                else:
                    os.setxattr(b"/proc/self/fd/%d/" % folder + name, x.name, x.value, follow_symlinks=False)
            except (OSError, ValueError, AttributeError) as error:
                trouble("attribute not set", e.path, f"{shown(x.name)}: {getattr(error, 'strerror', None) or error}")
        if e.kind != SYMLINK:
            os.chmod(what, mode, **({"dir_fd": folder} if folder is not None else {}))
        try:
            os.utime(what, ns=(e.mtime, e.mtime), **where)
        except (OSError, OverflowError) as error:
            trouble("time not set", e.path, getattr(error, "strerror", None) or error)


# ---- The command line

def list_bands(archive):
    for band in archive.bands:
        tail, head = archive.text(band, "tail"), archive.text(band, "head") or {}
        names = os.listdir(os.path.join(archive.root, "bands"))
        state = "deleted" if band + ".deleted" in names else "complete" if tail else "damaged" if archive.sums(band) else "incomplete"
        try:
            size = f"{int(tail['totals'][0]['entries'][0])} entries, {int(tail['totals'][0].get('content_bytes', [0])[0])} bytes"
        except (TypeError, KeyError, ValueError, AttributeError):
            size = "?"
        where = b" ".join([head.get("host", [b"?"])[0] + b":", *head.get("sources", [])])
        print(f"{band}  {state}  {size}  {shown(where)}")


def list_entries(archive, band, path, deep):
    found = False
    for e in archive.entries(band, Selection([path], deep)):
        if not (e.path == path and e.kind == DIRECTORY) and (e.path == path or not path or e.path.startswith(path + b"/")):
            kind = "?-dlpscb"[e.kind] if e.kind and e.kind < 8 else "?"
            mode = stat.filemode(e.mode or 0)[1:]
            owner = f"{shown(e.user or b'') or e.uid}/{shown(e.group or b'') or e.gid}"
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(min(max(e.mtime or 0, 0), 1 << 62) // 10**9))
            tail = f" -> {shown(e.target)}" if e.kind == SYMLINK else ""
            print(f"{kind}{mode} {owner} {e.size or 0:12} {when} {shown(e.path)}{tail}")
        found = True
    if not found:
        raise SystemExit(f"recover.py: {shown(path)} is not in band {band}")


def find_band(archive, name):
    if not archive.bands:
        raise SystemExit("recover.py: there is no band here")
    names = os.listdir(os.path.join(archive.root, "bands"))
    if name == "latest":
        complete = [b for b in archive.bands if b + ".tail" in names or b + ".tail.gpg" in names or b + ".sha256" in names or
                    any(n.startswith(b + ".tail-") for n in names)]
        return (complete or archive.bands)[-1]
    found = [b for b in archive.bands if b.startswith(name)]
    if len(found) != 1:
        raise SystemExit(f"recover.py: {len(found)} bands begin with {name!r}; see: recover.py list")
    return found[0]


def path_of(text):
    return os.fsencode(text).strip(b"/") if text not in (".", "./") else b""


def main():
    parser = argparse.ArgumentParser(prog="recover.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", "-a", metavar="DIR", default=os.path.dirname(os.path.abspath(__file__)), help="where the archive is")
    parser.add_argument("--passphrase-file", metavar="FILE", help="an encrypted archive: holds the passphrase, where gpg can't ask for it")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the bands")
    ls = commands.add_parser("ls", help="list a directory of a band")
    ls.add_argument("band")
    ls.add_argument("path", nargs="?", default="")
    ls.add_argument("-R", action="store_true", dest="deep", help="with all that is below it")
    restore = commands.add_parser("restore", help="put a band, or parts of it, into a directory")
    restore.add_argument("band")
    restore.add_argument("dest")
    restore.add_argument("paths", nargs="*")
    restore.add_argument("--no-owner", action="store_true", help="let everything belong to you")
    restore.add_argument("--partial", action="store_true", help="of damaged files, put what is left into NAME.dura-partial")
    args = parser.parse_args()
    archive = Archive(args.archive, args.passphrase_file)
    try:
        if args.command == "list":
            list_bands(archive)
        elif args.command == "ls":
            list_entries(archive, find_band(archive, args.band), path_of(args.path), args.deep)
        else:
            if os.path.realpath(args.dest).startswith(os.path.join(os.path.realpath(archive.root), "")):
                raise SystemExit("recover.py: DEST is inside the archive")
            band, paths = find_band(archive, args.band), [path_of(p) for p in args.paths] or [b""]
            missing = set(paths)

            def entries():
                for e in archive.entries(band, Selection(paths), content=True):
                    if missing:
                        missing.difference_update([p for p in missing if not p or e.path == p or e.path.startswith(p + b"/")])
                    yield e

            r = Restore(archive, args.dest, not args.no_owner, args.partial)
            r.all(entries())
            for path in sorted(missing):
                trouble("not there", path, f"band {band} has nothing of that name")
            if missing == set(paths):
                return 1
            print(f"restored {r.count} entries, {r.bytes} bytes of content, from band {band} to {args.dest}")
    finally:
        archive.gpg.close()
    if troubles:
        print("recover.py: " + ", ".join(f"{what}: {n}" for what, n in troubles.items()), file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        sys.exit(1)
    except (OSError, Damaged) as e:
        sys.exit(f"recover.py: {e}")
