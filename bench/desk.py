#!/usr/bin/python3
"""The desk in a large store: makes 100,000 people, 1,000,000 sessions and
1,000,000 events, asks for each page 20 times through lighttpd, and prints
how long they took.  doc/desk.md has the figures.

	bench/desk.py [--small] [--runs N]

The programs are taken from $BUILD, else from build/."""

import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "tests", "e2e"))

# The imports need the path above.
import scale  # noqa: E402
from harness import Secrets  # noqa: E402


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--small", action="store_true")
    options.add_argument("--runs", type=int, default=20)
    chosen = options.parse_args()
    size = scale.SMALL if chosen.small else scale.FULL
    it = scale.Scale(Secrets(), size)
    try:
        it.start()
        rows = it.measure(chosen.runs)
        print("%(people)d people, %(sessions)d sessions, %(events)d events"
              % size + ", a store of %d MB" % (
                  scale.store_size(it) // 1000000))
        print(scale.table(rows), end="")
    finally:
        it.close()


if __name__ == "__main__":
    main()
