#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Spoils a small guest kernel in each way that the loader must notice:
images.py KERNEL FOLDER"""

import pathlib
import struct
import sys

PHOFF, PHENTSIZE = 64, 56
PT_NULL, PT_LOAD, PT_NOTE = 0, 1, 4


class Image:
    def __init__(self, path):
        self.bytes = bytearray(pathlib.Path(path).read_bytes())
        self.count = struct.unpack_from("<H", self.bytes, 56)[0]

    def of_type(self, kind):
        """Offsets of the program headers of that type."""
        every = [PHOFF + i * PHENTSIZE for i in range(self.count)]
        return [at for at in every if struct.unpack_from("<I", self.bytes, at)[0] == kind]

    def put(self, form, at, value):
        struct.pack_into(form, self.bytes, at, value)

    def get(self, at):
        return struct.unpack_from("<Q", self.bytes, at)[0]


def not_elf(image):
    image.bytes[:4] = b"MZ\0\0"


def wrong_machine(image):
    image.put("<H", 18, 183)  # AArch64


def no_note(image):
    for at in image.of_type(PT_NOTE):
        image.put("<I", at, PT_NULL)


def truncated(image):
    del image.bytes[len(image.bytes) // 2:]


def truncated_header(image):
    del image.bytes[40:]


def overlap(image):
    first, second = image.of_type(PT_LOAD)[:2]
    image.put("<Q", second + 24, image.get(first + 24) + 4096)


def outside(image):
    at = image.of_type(PT_LOAD)[-1]
    image.put("<Q", at + 24, 2**64 - 4096)


def too_large(image):
    at = image.of_type(PT_LOAD)[-1]
    image.put("<Q", at + 40, 1 << 30)


def entry_outside(image):
    image.put("<Q", 24, 0x123)


def empty(image):
    del image.bytes[:]


CASES = [not_elf, wrong_machine, no_note, truncated, truncated_header, overlap, outside,
         too_large, entry_outside, empty]


def main():
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        image = Image(sys.argv[1])
        case(image)
        (folder / case.__name__.replace("_", "-")).write_bytes(image.bytes)


if __name__ == "__main__":
    main()
