"""`python -m foundation.embedded start|stop|remove|home`: the embedded server without Django."""

import shutil
import sys
from pathlib import Path

from foundation.embedded import cluster, layout
from foundation.embedded.errors import EmbeddedError

CHECKOUT = Path(__file__).resolve().parents[2]


def main(action: str) -> None:
    """Do one thing to this checkout's server and say what was done."""
    of = layout.locate(CHECKOUT)
    if action == "home":
        sys.stdout.write(f"{of.home}\n")
    elif action == "start":
        started = cluster.prepare(of).ensure_started()
        sys.stdout.write("Started.\n" if started else "It runs already.\n")
    elif action in {"stop", "remove"}:
        stopped = of.data.exists() and cluster.prepare(of).stop()
        if action == "remove":
            for path in (of.sockets, of.home, CHECKOUT / "staticfiles"):
                shutil.rmtree(path, ignore_errors=True)
        said = "Stopped" if stopped else "It did not run"
        sys.stdout.write(f"{said}{'; its data is removed' if action == 'remove' else ''}.\n")
    else:
        sys.exit("Nothing was done: say start, stop, remove or home.")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or ["home"])
    except EmbeddedError as refusal:
        sys.exit(str(refusal))
