"""Which columns of the two tables an order needs: by the setting ``events.orders``."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from schemas.errors import BadEvent
from schemas.inputs import field_checks
from schemas.inputs.fields_read import FieldsRead
from schemas.inputs.forms.event_form import EventForm
from schemas.inputs.forms.field_paths import EVENT_FIELDS, ITEMS, Places, Plan, Wanted, plan_of
from schemas.inputs.forms.translate_fields import look_up, other_value, with_json

Values = Mapping[str, object]
"""A row: its values by column."""


class OrderColumns(Struct, frozen=True):
    """The columns of orders and of their lines.

    Attributes:
        form: the form of the orders.
        read: what features read.
    """

    form: EventForm
    read: FieldsRead

    @property
    def items(self) -> str:
        """The column in which a whole order has its lines."""
        return dict(self.form.paths).get(ITEMS, ITEMS)

    def typed(self) -> set[str]:
        """Return the columns of an order whose values must be of their types."""
        return {each.path[0] for each in self._plan("").event if each.needed}

    def typed_of_line(self) -> set[str]:
        """Return the columns of a line whose values must be of their types."""
        return {each.path[0] for each in self._plan("").item if each.needed}

    def order_id(self, row: Values, shown: str) -> str:
        """Return the id of an order.

        Args:
            row: the order's row.
            shown: what errors put before a column's name.

        Raises:
            BadEvent: there is none.
        """
        return self._id(row, "order_id", shown)

    def user_id(self, row: Values) -> str | None:
        """Return the id of an order's user; None if the row has no such id, which a lane then says."""
        try:
            return self._id(row, "user_id", "")
        except BadEvent:
            return None

    def identity(self, row: Values) -> dict[str, object]:
        """Return only the columns that say which order this is, whose, and of what time."""
        kept = {self._field("", name).path[0] for name in EVENT_FIELDS["orders"]}
        return {column: value for column, value in row.items() if column in kept}

    def line(self, row: Values) -> Values:
        """Return a line as an item of an order: where a path leads into a column of JSON, parsed."""
        return with_json(row, {each.path[0] for each in self._plan("").item if len(each.path) > 1})

    def _id(self, row: Values, name: str, shown: str) -> str:
        field = self._field(shown, name)
        value = look_up(
            with_json(row, field.path[:1] if len(field.path) > 1 else ()), field.path, field.shown
        )
        return field_checks.required_id({field.shown: other_value(value, field.values)}, field.shown)

    def _field(self, shown: str, name: str) -> Wanted:
        return next(each for each in self._plan(shown).event if each.name == name)

    def _plan(self, shown: str) -> Plan:
        return plan_of(self.form, "orders", self.read, Places(shown=shown))
