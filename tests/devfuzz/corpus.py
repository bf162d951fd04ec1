#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The fuzzers' corpora: one text file per target, a script in hex on each line.

	corpus.py unpack FILE FOLDER   one file per line
	corpus.py pack FOLDER FILE     the other way, shortest first
"""

import hashlib
import pathlib
import sys

HEAD = "# SPDX-License-Identifier: GPL-2.0\n# Scripts of tests/devfuzz in hex; written by `run --time S --save`.\n"


def unpack(file, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            data = bytes.fromhex(line)
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(folder, file):
    scripts = sorted({f.read_bytes() for f in folder.iterdir()}, key=lambda d: (len(d), d))
    file.parent.mkdir(exist_ok=True)
    file.write_text(HEAD + "".join(s.hex() + "\n" for s in scripts if s))


def main():
    verb, source, target = sys.argv[1:]
    {"unpack": unpack, "pack": pack}[verb](pathlib.Path(source), pathlib.Path(target))


main()
