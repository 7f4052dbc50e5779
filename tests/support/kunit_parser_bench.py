# SPDX-License-Identifier: Apache-2.0
"""How fast the kernel's own kunit_parser.py reads: prints MB/s of processor time for one file.

    kunit_parser_bench.py TREE/tools/testing/kunit FILE"""
import contextlib
import io
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import kunit_parser  # noqa: E402

with open(sys.argv[2], encoding="utf-8") as file, contextlib.redirect_stdout(io.StringIO()):
    kunit_parser.stdout._output = io.StringIO()  # it prints each test; writing to a terminal is not what is measured
    began = time.process_time()
    test = kunit_parser.parse_run_tests(file)
    took = time.process_time() - began
with open(sys.argv[2], encoding="utf-8") as file:
    results = sum(line.startswith("    ok ") or ("     ok " in line and line.startswith("[")) for line in file)
if test.counts.passed != results:
    sys.exit(f"kunit_parser.py read {test.counts.passed} of {results} tests")
print(os.path.getsize(sys.argv[2]) / 1e6 / took)
