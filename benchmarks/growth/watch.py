"""Run a command; print wall seconds, CPU seconds and peak resident bytes as JSON.

A small process of its own, so that the peak reported for the child is the child's: the kernel
counts a parent's memory at the fork into the child's maximum (this one has about 12 MB).
"""

import json
import os
import sys
import time

start = time.perf_counter()
child = os.fork()
if child == 0:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - start
print(
    json.dumps(
        {
            "seconds": seconds,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss * 1024,
        }
    )
)
sys.exit(os.waitstatus_to_exitcode(status))
