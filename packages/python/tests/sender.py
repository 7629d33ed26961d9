"""Tracks events until it is killed or has tracked enough, and prints the number of each one that was accepted.

Usage: sender.py URL FOLDER SESSION COUNT [ms between events]. With a COUNT of 0, it waits until the folder is empty.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from the_eye import Client  # noqa: E402


def main(url, folder, session, count, pause="1"):
    client = Client(
        url,
        spool=folder,
        session_id=session,
        flush_interval=0.05,
        timeout=2,
        max_backoff=1,
        on_error=lambda error: print(error.code, error.message, file=sys.stderr, flush=True),
    )
    for n in range(int(count)):
        if client.track("tick", {"n": n}):
            print(n, flush=True)
        time.sleep(int(pause) / 1000)
    while os.listdir(folder):
        time.sleep(0.05)
    client.close()


main(*sys.argv[1:])
