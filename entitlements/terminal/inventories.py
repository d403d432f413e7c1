"""What an inventory file said, in the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from entitlements.imports.services import Filed
from entitlements.imports.values import Inventory, Origin, Problem


def print_reading(console: Console, inventory: Inventory) -> None:
    """How every column was read, so that none is dropped unsaid, and what the user should know."""
    parsed = inventory.parsed
    console.print(f"{parsed.record_count} records, {parsed.encoding}, columns separated by “{parsed.delimiter}”.")
    table = Table(box=None, pad_edge=False)
    for heading in ("Column", "is read as", "how"):
        table.add_column(heading)
    for column in parsed.columns:
        meaning = column.field.value.replace("_", " ") if column.field else "kept as an attribute"
        table.add_row(f"  {column.name}", meaning, "" if column.origin is Origin.KEPT else column.origin.value)
    console.print(table)
    for note in parsed.notes:
        console.print(f"  {note}")


def print_problems(console: Console, problems: tuple[Problem, ...]) -> None:
    """Each problem with line and column."""
    if not problems:
        return
    console.print(Text(f"{len(problems)} problems:", style="bold red"))
    for problem in problems:
        value = f"  ({problem.value!r})" if problem.value else ""
        console.print(Text(f"  {problem}{value}"))


def print_filed(console: Console, filed: Filed) -> None:
    """What was made of the file."""
    drafted = filed.drafted
    for note in drafted.notes:
        console.print(f"  {note}")
    if drafted.already_there:
        console.print(f"  In the registry already, left out: {', '.join(drafted.already_there)}")
    if filed.inventory.left_out_lines:
        lines = ", ".join(map(str, filed.inventory.left_out_lines))
        console.print(Text(f"  Left out, as you said: lines {lines}.", style="yellow"))
    console.print(
        f"Change {filed.change_request.number}: {len(filed.inventory.licenses) - len(drafted.already_there)} licenses, "
        f"{len(drafted.drafts)} records, {drafted.seats} seats, {len(drafted.details)} new people."
    )
