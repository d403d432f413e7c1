"""What the embedded PostgreSQL refuses, in a sentence for the person at the terminal."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL was not started, stopped or made; the message says why and what to do."""
