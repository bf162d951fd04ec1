# SPDX-License-Identifier: GPL-2.0
"""Fuzzer inputs as text: the tree holds no binary files.

	python3 hex.py unpack HEX-FOLDER FOLDER		*.hex to files
	python3 hex.py pack FILE NAME.hex [REMARK]	one file to text

Lines with # are remarks; a line "SIZE *BYTE" stands for many equal bytes.
"""

import pathlib
import re
import sys

RUN = 32  # this many equal bytes or more are written as one line
WIDTH = 32


def unpack(text):
    data = bytearray()
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        run = re.fullmatch(r"(\d+) \*([0-9a-f]{2})", line)
        data += bytes.fromhex(run[2]) * int(run[1]) if run else bytes.fromhex(line)
    return bytes(data)


def pack(data, remark):
    lines = ["# SPDX-License-Identifier: GPL-2.0"] + ([f"# {remark}"] if remark else [])
    for piece in re.finditer(rb"(.)\1{%d,}|(?:(?!(.)\2{%d,}).)+" % (RUN - 1, RUN - 1), data, re.S):
        if piece[1]:
            lines.append(f"{len(piece[0])} *{piece[1].hex()}")
            continue
        for at in range(0, len(piece[0]), WIDTH):
            lines.append(piece[0][at:at + WIDTH].hex(" ", 8))
    return "\n".join(lines) + "\n"


def main(args):
    if len(args) == 3 and args[0] == "unpack":
        for path in sorted(pathlib.Path(args[1]).glob("*.hex")):
            (pathlib.Path(args[2]) / path.stem).write_bytes(unpack(path.read_text()))
        return 0
    if len(args) in (3, 4) and args[0] == "pack":
        data = pathlib.Path(args[1]).read_bytes()
        text = pack(data, args[3] if len(args) == 4 else "")
        if unpack(text) != data:
            raise SystemExit(f"hex.py: {args[1]} doesn't survive its way through text")
        pathlib.Path(args[2]).write_text(text)
        return 0
    print(__doc__, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
