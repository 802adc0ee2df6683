"""The library behind the workflow's scripts.

Paddle reads its environment when it is imported, so what has to be set before is set here.
"""

import os

# The matrix library bundled with Paddle takes its slowest path on AMD processors unless it is told that they have AVX2.
os.environ.setdefault("MKL_DEBUG_CPU_TYPE", "5")
