"""An object whose unpickling runs a program, as a hostile file of weights would hold it."""

import os


class Command:
    """Unpickled in the ordinary way, this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)
