#!/usr/bin/env python
"""Run Tenure's commands: `manage.py help` lists them."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # What is missing is said in a sentence; where the settings read it helps nobody.
        sys.exit(f"Tenure does not start: {error}")


if __name__ == "__main__":
    main()
