"""What columns and tables are for, by their names and values."""

import pytest

from trainer.proposal.looks.shop_columns import Kind, ShopColumn, ShopTable
from trainer.proposal.roles.column_roles import roles_of, subject_of
from trainer.proposal.written.date_forms import DateForm


def table(name: str, **columns: Kind) -> ShopTable:
    made = tuple(
        ShopColumn(column.replace("__", " "), kind, 100, 100, 10, date=DateForm() if kind == "date" else None)
        for column, kind in columns.items()
    )
    return ShopTable(name, (name,), 100, made)


def roles(name: str, **columns: Kind) -> dict[str, str]:
    return {role: column.name for role, column in roles_of(table(name, **columns)).items()}


def test_an_order_line_of_online_retail() -> None:
    assert roles(
        "data", InvoiceNo="text", StockCode="text", Description="text", Quantity="number", InvoiceDate="date",
        UnitPrice="number", CustomerID="number", Country="text",
    ) == {
        "user_id": "CustomerID", "order_id": "InvoiceNo", "product_id": "StockCode", "time": "InvoiceDate",
        "price": "UnitPrice", "quantity": "Quantity", "country": "Country",
    }  # fmt: skip


def test_a_box_of_a_subscriber_has_only_the_time_at_which_it_was_sent() -> None:
    found = roles("boxes", Box__No="text", Subscriber="text", Shipped__At="date", Returned="date")
    assert found == {"order_id": "Box No", "user_id": "Subscriber", "time": "Shipped At"}


def test_the_time_of_an_order_is_none_of_its_other_times() -> None:
    found = roles(
        "orders", order_id="text", customer_id="text", order_status="text", order_delivered_at="date",
        order_estimated_delivery_date="date", order_purchase_timestamp="date",
    )  # fmt: skip
    assert found["time"] == "order_purchase_timestamp"
    assert found["status"] == "order_status"


def test_an_id_is_what_the_table_is_about() -> None:
    assert roles("customers", id="number")["user_id"] == "id"
    assert roles("orders", id="number")["order_id"] == "id"
    assert roles("products", id="number")["product_id"] == "id"
    assert "order_id" not in roles("order_items", id="number")


def test_an_id_of_something_else_about_an_order_or_a_user_is_not_theirs() -> None:
    found = roles(
        "sales_order", order_currency_code="text", order_type_id="number", entity_id="number",
        customer_group_id="number", customer_id="number", created_at="date",
    )  # fmt: skip
    assert found == {"user_id": "customer_id", "order_id": "entity_id", "time": "created_at"}
    assert "order_id" not in roles("payments", order_currency_code="text")
    assert "user_id" not in roles("orders", customer_group_id="number")


def test_the_product_of_a_line_is_not_the_id_of_the_line() -> None:
    assert roles("order_item", item_id="number", product_id="number")["product_id"] == "product_id"
    assert roles("sales", item_id="number")["product_id"] == "item_id"


def test_a_price_with_or_without_tax_is_a_price_and_a_tax_is_none() -> None:
    found = roles(
        "order_detail", tax="number", price_tax="number", unit_price_tax_incl="number",
        unit_price_tax_excl="number", total_tax="number", total_paid_tax_incl="number",
    )  # fmt: skip
    assert found == {"price": "unit_price_tax_incl", "total": "total_paid_tax_incl"}


def test_sales_before_and_after_discounts() -> None:
    found = roles("items", Gross__Sales="number", Discounts="number", Net__Sales="number", Tax="number")
    assert found == {"total": "Net Sales"}
    assert roles("items", Gross__Sales="number") == {"total": "Gross Sales"}


def test_german_names() -> None:
    found = roles(
        "Bestellungen", Bestellnummer="text", Kundennummer="number", Bestelldatum="date", Menge="number",
        Einzelpreis="number", Warengruppe="text", Marke="text", Geschlecht="text", Geburtsdatum="date",
    )  # fmt: skip
    assert found == {
        "order_id": "Bestellnummer", "user_id": "Kundennummer", "time": "Bestelldatum", "quantity": "Menge",
        "price": "Einzelpreis", "category": "Warengruppe", "brand": "Marke", "gender": "Geschlecht",
        "birth": "Geburtsdatum",
    }  # fmt: skip


def test_german_short_forms() -> None:
    found = roles(
        "Best", BestNr="number", KdNr="number", BestDat="date", ArtNr="text", Anz="number", Geschl="text",
        GebDat="date",
    )  # fmt: skip
    assert found == {
        "order_id": "BestNr", "user_id": "KdNr", "time": "BestDat", "product_id": "ArtNr", "quantity": "Anz",
        "gender": "Geschl", "birth": "GebDat",
    }  # fmt: skip


def test_dutch_and_polish_names() -> None:
    of_lines = ("order_id", "user_id", "product_id", "quantity", "price", "time", "country")
    for names in (
        ("factuurnr", "klantnr", "artikel", "aantal", "prijs", "factuurdatum", "land"),
        ("Numer zamówienia", "Id_klienta", "produkt", "ilość", "Cena", "Data zamówienia", "kraj"),
    ):
        kinds: tuple[Kind, ...] = ("text", "text", "text", "number", "number", "date", "text")
        found = roles("data", **dict(zip(names, kinds, strict=True)))
        assert found == dict(zip(of_lines, names, strict=True))
    assert [subject_of(name) for name in ("klanten", "Zamówienia", "factuurregels")] == [
        "user",
        "order",
        "item",
    ]


def test_costs_and_totals_are_no_prices() -> None:
    found = roles(
        "lines",
        Unit__Cost="number",
        Unit__Price__USD="number",
        Total__Amount="number",
        Shipping__Price="number",
    )
    assert found["price"] == "Unit Price USD"
    assert found["total"] == "Total Amount"


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("olist_order_items_dataset", "item"),
        ("Orders", "order"),
        ("sales 2019", "order"),
        ("CRM_Customers", "user"),
        ("Produkte", "product"),
        ("stores", "other"),
        ("Kunden", "user"),
    ],
)
def test_subjects(name: str, subject: str) -> None:
    assert subject_of(name) == subject
