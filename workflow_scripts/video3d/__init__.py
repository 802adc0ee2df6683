"""The library behind the workflow's scripts.

NumPy reads its environment when it is imported, so what has to be set before is set here.
"""

import os

# Threads share the work by clips (see cpu_convolution.py); a matrix product with threads of its own would slow them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
