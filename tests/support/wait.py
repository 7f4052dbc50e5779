# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, with a deadline; never for a time."""
import time


def wait_for(condition, what, within=60.0, every=0.1):
    """The first true value of condition(). @raises TimeoutError naming `what`, and the last exception of the condition if it raised."""
    end = time.monotonic() + within
    error = None
    while True:
        try:
            value = condition()
            if value:
                return value
            error = None
        except (OSError, LookupError) as problem:  # a server that is not up yet, an answer without the field yet
            error = problem
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {within:g} s" + (f" (last: {error})" if error else ""))
        time.sleep(every)
