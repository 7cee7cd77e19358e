"""ports.py -- free ports that no other script, running beside this one, will take.

The gate binds with SO_REUSEPORT, so two gates on one port would not notice each other. Each process
therefore claims a block of ports by a lock on a file and holds it as long as it lives.
"""
import fcntl
import os
import socket
import tempfile

FIRST, BLOCK, BLOCKS = 18000, 50, 200
_block = []  # [open lock file, next port, end, process that claimed it]


def _claim():
    folder = os.path.join(tempfile.gettempdir(), f"embergate-flow-ports.{os.getuid()}")
    os.makedirs(folder, exist_ok=True)
    for number in range(BLOCKS):
        lock = open(os.path.join(folder, str(number)), "w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        first = FIRST + number * BLOCK
        _block[:] = [lock, first, first + BLOCK, os.getpid()]
        return
    raise RuntimeError("no free block of ports")


def free_port():
    if not _block or _block[3] != os.getpid():
        _claim()
    for port in range(_block[1], _block[2]):
        try:
            for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                with socket.socket(family) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((host, port))
        except OSError:
            continue
        _block[1] = port + 1
        return port
    raise RuntimeError("the block of ports is used up")
