"""The library behind the workflow's scripts.

Paddle and NumPy read their environment when they are imported, so what has to be set before is set here.
"""

import os

# The matrix library bundled with Paddle takes its slowest path on AMD processors unless it is told that they have AVX2.
os.environ.setdefault("MKL_DEBUG_CPU_TYPE", "5")
# Threads share the work by clips (see convolution.py); a matrix product that starts threads of its own would slow them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
