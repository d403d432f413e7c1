"""
`make bench`: every benchmark, each in a process of its own, as ratios within one run.

`ARGS="coverage seats"` runs those alone. Exit code 1 if one misses its bound.
"""

import subprocess
import sys
from pathlib import Path


def names() -> list[str]:
    """The benchmarks, by module name."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks, or all."""
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(names())}.")
        return 2
    missed = []
    for name in chosen or names():
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            missed.append(name)
    print(f"Missed: {', '.join(missed)}" if missed else "All within their bounds.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
