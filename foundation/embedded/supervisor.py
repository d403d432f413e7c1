"""
Keeps a few processes running, and stops them all at once.

Each is a child in a group of its own, on a leash: it ends when the supervisor ends, however that ends. A dead one is
started again after a pause that grows while it keeps dying. Every line that one writes is passed on with its name in
front.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

from foundation.embedded import leash
from foundation.embedded.errors import EmbeddedError

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A child that ran this long was well; its next death starts over with the first pause.
WELL_AFTER_SECONDS = 60.0
STOP_SECONDS = 7.0
NAME_WIDTH = 8

Started = subprocess.Popen[bytes]


@dataclass
class Program:
    """
    One supervised process: how it is started and asked to stop, and how it fares.

    `start` answers the running child, with its output in a pipe or already somewhere else.
    """

    name: str
    start: Callable[[], Started]
    stop_signal: signal.Signals = signal.SIGTERM
    child: Started | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause_seconds: float = field(default=FIRST_PAUSE_SECONDS)


def command(name: str, arguments: list[str]) -> Program:
    """Answer the program that runs a command line, under its name."""

    def start() -> Started:
        return subprocess.Popen(  # noqa: S603 - the project's own command lines, no shell
            leash.wrap(arguments, on_parents_end=signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TENURE_PROCESS": name, "PYTHONUNBUFFERED": "1"},
            process_group=0,
        )

    return Program(name=name, start=start)


def run(programs: list[Program], *, ready: Callable[[], None] = lambda: None) -> None:
    """
    Start the programs in order, keep them running until SIGINT or SIGTERM, then stop them in the opposite order.

    `ready` is called once all have been started. Call from the main thread.

    :raises EmbeddedError: if the first program cannot be started at all
    """
    with stop_requests() as stop_requested:
        try:
            for program in programs:
                start(program)
            ready()
            while not stop_requested.wait(0.1):
                for program in programs:
                    look_after(program)
        finally:
            say("serve", "Stopping.")
            stop(programs)
    say("serve", "Stopped.")


@contextlib.contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Have an event that SIGINT and SIGTERM set, instead of what they did before."""
    requested = threading.Event()
    handled = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: requested.set()) for number in handled]
    try:
        yield requested
    finally:
        for number, handler in zip(handled, before, strict=True):
            signal.signal(number, handler)


def start(program: Program) -> None:
    """Start a program and pass its lines on."""
    program.child = program.start()
    program.started_at = time.monotonic()
    say("serve", f"{program.name} runs as process {program.child.pid}.")
    if program.child.stdout is not None:
        threading.Thread(target=pass_on, args=(program.name, program.child.stdout), daemon=True).start()


def look_after(program: Program) -> None:
    """Notice a death, and start the program again once its pause is over."""
    now = time.monotonic()
    if program.child is not None and program.child.poll() is not None:
        code = program.child.returncode
        end_group(program.child, signal.SIGKILL)
        program.child = None
        if now - program.started_at > WELL_AFTER_SECONDS:
            program.pause_seconds = FIRST_PAUSE_SECONDS
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        say("serve", f"{program.name} {how}; it starts again in {program.pause_seconds:g} s.")
        program.due_at = now + program.pause_seconds
        program.pause_seconds = min(program.pause_seconds * 2, LONGEST_PAUSE_SECONDS)
    if program.child is None and now >= program.due_at:
        try:
            start(program)
        except (EmbeddedError, OSError) as error:
            program.due_at = time.monotonic() + program.pause_seconds
            say("serve", f"{program.name} was not started: {error} The next attempt is in {program.pause_seconds:g} s.")
            program.pause_seconds = min(program.pause_seconds * 2, LONGEST_PAUSE_SECONDS)


def stop(programs: list[Program]) -> None:
    """Stop all programs: the first one last, because the others use it."""
    first, others = programs[:1], programs[1:]
    for group in (others, first):
        children = [(program, program.child) for program in group if program.child is not None]
        for program, child in children:
            end_group(child, program.stop_signal, only_leader=True)
        deadline = time.monotonic() + STOP_SECONDS
        for program, child in children:
            try:
                child.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                say("serve", f"{program.name} did not stop within {STOP_SECONDS:g} s and is killed.")
            end_group(child, signal.SIGKILL)
            child.wait()


def end_group(child: Started, number: signal.Signals, *, only_leader: bool = False) -> None:
    """Signal a child, or whatever is left of its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if only_leader:
            child.send_signal(number)
        else:
            os.killpg(child.pid, number)


def pass_on(name: str, lines: IO[bytes]) -> None:
    """Write every line of a child under its name, until it closes its output."""
    with lines:
        for line in lines:
            say(name, line.decode(errors="replace").rstrip("\n"))


def say(name: str, text: str) -> None:
    """Write lines under a process's name."""
    for line in text.splitlines() or [""]:
        sys.stdout.write(f"{name:<{NAME_WIDTH}} | {line}\n")
    sys.stdout.flush()
