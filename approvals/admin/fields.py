"""Form fields for what payloads hold besides plain values: lines of text, rows of a table, mappings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES, UnfoldAdminTextareaWidget

BLANK_ROWS = 3
MAXIMUM_ROWS = 200
Row = Mapping[str, Any]


class LinesField(forms.CharField):
    """Several values, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Write a list one value a line."""
        return "\n".join(str(item) for item in value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Read the lines that hold something."""
        if isinstance(value, list | tuple):
            return list(value)
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def validate(self, value: Any) -> None:
        """Refuse an empty list where one is required."""
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """Leave the values to the payload, which knows them."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the values, not how they are written."""
        return bool(self.to_python(initial) != self.to_python(data))


class InstantField(forms.DateTimeField):
    """An instant written as text, in the reader's zone; one with a zone of its own is taken as it says."""

    def prepare_value(self, value: Any) -> Any:
        """Write an instant of a JSON row in the reader's zone."""
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return value
        if isinstance(value, datetime):
            local = timezone.localtime(value) if timezone.is_aware(value) else value
            return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
        return value

    def clean(self, value: Any) -> Any:
        """Read an instant as UTC."""
        instant = super().clean(value)
        return instant.astimezone(UTC) if isinstance(instant, datetime) else instant


class LimitField(forms.CharField):
    """A feature's limit: yes, no, a number, or unlimited."""

    def prepare_value(self, value: Any) -> Any:
        """Write a limit in words."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return "unlimited" if value is None else str(value)

    def clean(self, value: Any) -> Any:
        """
        Read a limit.

        :raises ValidationError: if it is none of the four
        """
        text = str(value).strip().lower()
        known = {"yes": True, "true": True, "no": False, "false": False, "unlimited": None, "": None}
        if text in known:
            return known[text]
        if text.isdecimal():
            return int(text)
        raise ValidationError("Write yes, no, unlimited, or a whole number.")


@dataclass(frozen=True)
class Column:
    """One column of a table of rows: its name in the payload, its heading, and the field that reads a cell."""

    name: str
    label: str
    field: forms.Field


class RowsWidget(forms.Widget):
    """A small table: the rows as they stand and a few empty ones; a row that is emptied is removed."""

    template_name = "proposing/rows.html"

    def __init__(self, columns: Sequence[Column], attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.columns = tuple(columns)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add the rows, each a list of rendered cells."""
        rows = [*(value or []), *({} for _ in range(BLANK_ROWS))]
        context = super().get_context(name, value, attrs)
        context["widget"] |= {
            "columns": self.columns,
            "count": len(rows),
            "rows": [
                [self._cell(name, number, column, row) for column in self.columns] for number, row in enumerate(rows)
            ],
        }
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        """Read the rows that hold something, as text."""
        try:
            count = min(int(data.get(f"{name}-count", 0)), MAXIMUM_ROWS + BLANK_ROWS)
        except ValueError:
            count = 0
        rows = (
            {column.name: str(data.get(f"{name}-{number}-{column.name}", "")) for column in self.columns}
            for number in range(count)
        )
        return [row for row in rows if any(text.strip() for text in row.values())]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Tell whether the form had no such table."""
        return f"{name}-count" not in data

    @staticmethod
    def _cell(name: str, number: int, column: Column, row: Row) -> str:
        choices = isinstance(column.field, forms.ChoiceField)
        attrs = {
            "class": " ".join(SELECT_CLASSES if choices else INPUT_CLASSES),
            "aria-label": f"{column.label}, row {number + 1}",
        }
        rendered: str = column.field.widget.render(f"{name}-{number}-{column.name}", row.get(column.name), attrs)
        return rendered


class RowsField(forms.Field):
    """A list of rows with named values."""

    def __init__(self, *, columns: Sequence[Column], **options: Any) -> None:
        self.columns = tuple(columns)
        super().__init__(widget=RowsWidget(self.columns), **options)

    def prepare_value(self, value: Any) -> Any:
        """Write stored rows as they are edited; rows of a bound form are text already."""
        return [
            {
                column.name: row[column.name]
                if isinstance(row.get(column.name), str) and not isinstance(column.field, InstantField)
                else column.field.prepare_value(row.get(column.name))
                for column in self.columns
                if column.name in row
            }
            for row in self.rows_of(value)
        ]

    def rows_of(self, value: Any) -> list[Row]:
        """Return a stored value as rows."""
        return list(value or [])

    def from_rows(self, rows: list[dict[str, Any]]) -> Any:
        """Return the payload's value of rows."""
        return rows

    def clean(self, value: Any) -> Any:
        """
        Read each cell.

        :raises ValidationError: naming row and column of each cell that does not fit
        """
        rows: list[dict[str, Any]] = []
        errors: list[str] = []
        for number, row in enumerate(value or [], start=1):
            cells = {}
            for column in self.columns:
                try:
                    cells[column.name] = column.field.clean(row.get(column.name))
                except ValidationError as error:
                    errors += [f"Row {number}, {column.label}: {message}" for message in error.messages]
            rows.append(cells)
        if errors:
            raise ValidationError(errors)
        if self.required and not rows:
            raise ValidationError(self.error_messages["required"], code="required")
        return self.from_rows(rows)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what the rows say, not how it is written; what cannot be read has changed."""
        try:
            return bool(self._read(self.prepare_value(initial)) != self._read(data))
        except ValidationError:
            return True

    def _read(self, rows: Any) -> list[list[Any]]:
        return [[column.field.clean(row.get(column.name)) for column in self.columns] for row in rows or []]


class MappingField(RowsField):
    """Names with a value each, as a table of two columns."""

    def __init__(self, *, key: str, value: str, value_field: forms.Field, **options: Any) -> None:
        super().__init__(
            columns=(Column("key", key, forms.CharField(max_length=200)), Column("value", value, value_field)),
            **options,
        )

    def rows_of(self, value: Any) -> list[Row]:
        """Return the pairs, by name."""
        if isinstance(value, Mapping):
            return [{"key": name, "value": value[name]} for name in sorted(value)]
        return list(value or [])

    def from_rows(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """
        Return the mapping.

        :raises ValidationError: if a name is there twice
        """
        names = [row["key"] for row in rows]
        twice = sorted(_twice(names))
        if twice:
            raise ValidationError(f"{', '.join(twice)}: named twice. Keep one row.")
        return {row["key"]: row["value"] for row in rows}


def _twice(names: Sequence[str]) -> Iterator[str]:
    return iter({name for name in names if names.count(name) > 1})
