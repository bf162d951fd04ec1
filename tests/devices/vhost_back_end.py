# SPDX-License-Identifier: GPL-2.0
"""As much of vhost-user's other end as the daemon asks for: for programs that stand in
the place of its helpers, and lie."""

import os
import select
import socket
import struct

GET_FEATURES, SET_MEM_TABLE, SET_VRING_ADDR = 1, 5, 9
SET_VRING_KICK, SET_VRING_CALL, GET_PROTOCOL_FEATURES, SET_VRING_ENABLE, GET_CONFIG = 12, 13, 15, 18, 24
LIE = os.environ["LIE"]

# Entries of the used ring, and its index, after the first kick.
RINGS = {
    "head": ([0xffffff], 1),
    "unaligned": ([1], 1),
    "stranger": ([15], 1),
    "twice": ([0, 0], 2),
    "ahead": ([0], 40000),
}


class Ended(Exception):
    pass


class Helper:
    FEATURES = 1 << 30 | 1 << 32
    PROTOCOL = 0

    def __init__(self, connection):
        self.connection = connection
        self.fds = {}   # by request and queue
        self.area = {}  # by queue: addresses of its descriptors, avail and used

    def take(self, n):
        data = b""
        while len(data) < n:
            part, fds, _, _ = socket.recv_fds(self.connection, n - len(data), 8)
            if not part:
                raise Ended
            data += part
            self.new_fds += fds
        return data

    def message(self):
        self.new_fds = []
        request, _, size = struct.unpack("<III", self.take(12))
        payload = self.take(size)
        if self.new_fds:
            queue = payload[0] if request in (SET_VRING_KICK, SET_VRING_CALL) else 0
            self.fds[request, queue] = self.new_fds[0]
        return request, payload

    def answer(self, request, payload):
        if LIE == "answer":
            request += 1
        size = len(payload) + (LIE == "size")
        self.connection.sendall(struct.pack("<III", request, 5, size) + payload)

    def kicked(self, queues):
        """The first of the queues that was kicked."""
        kicks = {self.fds[SET_VRING_KICK, q]: q for q in queues}
        now, _, _ = select.select([*kicks, self.connection], [], [])
        if self.connection in now:
            raise Ended
        os.eventfd_read(now[0])
        return kicks[now[0]]

    def call(self, queue):
        os.eventfd_write(self.fds[SET_VRING_CALL, queue], 1)

    def lie(self, memory, queue):
        """What $LIE says about a ring, or on the socket."""
        _, _, used = self.area[queue]
        if LIE == "speaks":
            self.connection.sendall(b"hello")
            return
        if LIE == "garbage":
            memory[used:used + 2054] = os.urandom(2054)
        else:
            heads, index = RINGS[LIE]
            for i, head in enumerate(heads):
                struct.pack_into("<I", memory, used + 4 + 8 * i, head)
            struct.pack_into("<H", memory, used + 2, index)
        self.call(queue)

    def serve(self):
        while True:
            request, payload = self.message()
            if request == GET_FEATURES:
                self.answer(request, struct.pack("<Q", self.FEATURES))
            elif request == GET_PROTOCOL_FEATURES:
                self.answer(request, struct.pack("<Q", self.PROTOCOL))
            elif request == GET_CONFIG:
                self.answer(request, self.config(payload))
            elif request == SET_VRING_ADDR:
                queue, _, desc, used, avail, _ = struct.unpack("<IIQQQQ", payload)
                self.area[queue] = desc, avail, used
            elif request == SET_VRING_ENABLE:
                self.enabled(payload[0])


def run(helper, number):
    """Serves one connection after the other at the socket of that number."""
    listener = socket.socket(fileno=number)
    while True:
        connection, _ = listener.accept()
        try:
            helper(connection).serve()
        except (Ended, OSError):
            connection.close()
