"""How a fork of `prepared_python` is asked for. Run as a program it is the launcher, so it imports little."""

import json
import os
import socket
import sys


def ask(
    address: str, folder: str, command: list[str], environment: dict[str, str], files: list[int], timeout=None
) -> int:
    """Have a Python command run in a folder, with these open files as its first ones; return its exit code.

    Raises TimeoutError if it has not ended after so many seconds.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [b"+"], files)
        request = {"folder": folder, "command": command, "environment": environment}
        connection.sendall(json.dumps(request).encode() + b"\n")
        connection.settimeout(timeout)
        return int(connection.recv(8))


def receive(connection: socket.socket) -> dict:
    """What was asked for: the arguments of `become`."""
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as stream:
        return json.loads(stream.readline()) | {"files": files}


if __name__ == "__main__":
    address, *arguments = sys.argv[1:]
    code = ask(address, os.getcwd(), [sys.executable, *arguments], dict(os.environ), [0, 1, 2])  # noqa: PTH109
    sys.exit(code if code >= 0 else 128 - code)
