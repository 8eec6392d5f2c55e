"""Small made-up exports in the shapes that shops have: each is a folder of files, written by a function."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

Rows = Iterable[Sequence[object]]


def write_table(
    file: Path, header: str, rows: Rows, *, separator: str = ",", encoding: str = "utf-8", end: str = "\n"
) -> None:
    """Write a CSV file; the header's names are separated as its fields."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding=encoding, newline="") as target:
        writer = csv.writer(target, delimiter=separator, lineterminator=end)
        writer.writerow(header.split(separator))
        writer.writerows(rows)


def at(number: int) -> datetime:
    """The time of an order: each day of a year, from 8:05 on."""
    return datetime(2017, 1, 1, 8, 5) + timedelta(  # noqa: DTZ001
        days=number % 365,
        minutes=37 * number % 600,
    )


def flat_lines(folder: Path) -> None:
    """One file of order lines, as Online Retail: ids as floats, no customer, cancelled, negative quantities.

    There are 120 orders of 20 users in 240 lines. Of 24 lines the customer is missing, 12 more are cancelled,
    and 6 more have a quantity of 0.
    """
    rows: list[Sequence[object]] = []
    for order in range(120):
        who = order * 7 % 23 % 20
        for line in range(2):
            number = f"C{536300 + order}" if order % 20 == 3 else str(536300 + order)
            pieces: int = -1 if order % 20 == 3 else 0 if order % 20 == 4 and line else 1 + order % 3
            customer = "" if order % 10 == 7 else f"{12580 + who}.0"
            time = at(order)
            country = ("France", "Norway", "Spain")[who % 3]
            rows.append(
                (
                    number,
                    f"SKU{line}{order % 7}",
                    f"THING {order % 70}",
                    pieces,
                    f"{time:%Y-%m-%d %H:%M:%S}",
                    2.5 + order % 5,
                    customer,
                    country,
                )
            )
    write_table(
        folder / "lines.csv",
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        rows,
    )


def electronics(folder: Path) -> None:
    """Customers, sales of two years, products with prices as "$12.99 ", stores; dates as 1/31/2019."""
    countries, brands = ("Canada", "Germany", "Italy"), ("Kestrel", "Northlight")
    write_table(
        folder / "customers.csv",
        "CustomerKey,Gender,Name,Country,Birthday",
        [
            (
                300 + n,
                ("Female", "Male")[n % 2],
                f"Chloé {n}",
                countries[n % 3],
                f"{1 + n % 12}/{1 + n % 28}/{1950 + n}",
            )
            for n in range(24)
        ],
        encoding="cp1252",
    )
    write_table(
        folder / "products.csv",
        "ProductKey,Product Name,Brand,Unit Cost USD,Unit Price USD,Category",
        [
            (
                n,
                f"Thing {n}",
                brands[n % 2],
                f"${n}.50 ",
                f"${1000 * n + 12:,}.99 ",
                ("Audio", "TV")[n // 2 % 2],
            )
            for n in range(8)
        ],
    )
    write_table(
        folder / "stores.csv",
        "StoreKey,Country,Open Date",
        [(0, "Online", "1/1/2010"), (1, "Italy", "3/14/2012")],
    )
    for year in (2019, 2020):
        write_table(
            folder / f"sales {year}.csv",
            "Order Number,Line Item,Order Date,CustomerKey,StoreKey,ProductKey,Quantity",
            [
                (
                    year * 1000 + order,
                    1 + line,
                    f"{at(order * 5).month}/{at(order * 5).day}/{year}",
                    300 + order % 24,
                    0,
                    (order + line) % 8,
                    1 + order % 3,
                )
                for order in range(60)
                for line in range(1 + order % 2)
            ],
        )


def sprocket(folder: Path) -> None:
    """Customers, addresses, and transactions of one item; a gender spelled in five ways; 31.1.2017 14:05."""
    genders = ("F", "Female", "Femal", "M", "Male")
    write_table(
        folder / "customers.csv",
        "customer_id;first_name;gender;DOB;wealth_segment;deceased_indicator;owns_car;tenure",
        [
            (
                n,
                f"Ada{n}",
                genders[n % 5],
                f"{1950 + n}-0{1 + n % 9}-11",
                ("Mass", "Affluent")[n % 2],
                "NY"[n == 6],
                ("Yes", "No")[n // 2 % 2],
                n % 11,
            )
            for n in range(1, 26)
        ],
        separator=";",
    )
    write_table(
        folder / "addresses.csv",
        "customer_id;address;postcode;state;property_valuation",
        [(n, f"{n} Mill Lane", 2000 + n, ("NSW", "VIC", "QLD")[n % 3], 1 + n % 7) for n in range(1, 26)],
        separator=";",
    )
    write_table(
        folder / "transactions.csv",
        "transaction_id;product_id;customer_id;transaction_date;order_status;brand;product_line;list_price",
        [
            (
                n,
                n % 9,
                1 + n % 25,
                f"{at(n).day}.{at(n).month}.2017 {at(n):%H:%M}",
                ("Approved", "Cancelled")[n % 13 == 0],
                ("Arrow", "Birch")[n % 2],
                ("Road", "Standard")[n // 3 % 2],
                "gratis" if n == 17 else f"1.{100 + n},90",
            )
            for n in range(1, 101)
        ],
        separator=";",
    )


def german(folder: Path) -> None:
    """A German export: semicolons, decimal commas, Windows-1252, CR LF, German names."""
    how = {"separator": ";", "encoding": "cp1252", "end": "\r\n"}
    write_table(
        folder / "Kunden.csv",
        "Kundennummer;Nachname;E-Mail;Geschlecht;Geburtsdatum;PLZ;Land;Kanal",
        [
            (
                1000 + n,
                f"Müller{n}",
                f"m{n}@example.de",
                "wm"[n % 2],
                f"{1 + n % 28:02}.{1 + n % 12:02}.{1950 + n}",
                10000 + n,
                ("Österreich", "Deutschland")[n % 3 == 0],
                ("Suche", "Newsletter")[n // 2 % 2],
            )
            for n in range(40)
        ],
        **how,
    )
    write_table(
        folder / "Bestellungen.csv",
        "Bestellnummer;Kundennummer;Bestelldatum;Status",
        [
            (
                f"B{n}",
                "" if n % 50 == 9 else 1000 + n % 40,
                "bald" if n == 33 else f"{at(n):%d.%m.%Y %H:%M}",
                ("bezahlt", "storniert")[n % 11 == 0],
            )
            for n in range(150)
        ],
        **how,
    )
    write_table(
        folder / "Bestellpositionen.csv",
        "Bestellnummer;Position;Artikelnummer;Warengruppe;Marke;Menge;Einzelpreis",
        [
            (
                f"B{n}",
                1 + line,
                f"A{(n + line) % 9}",
                ("Möbel", "Küche")[(n // 2 + line) % 2],
                ("Alpha", "Beta")[n // 3 % 2],
                0 if n == 40 else 1 + n % 3,
                f"1.{100 + n},{line}5",
            )
            for n in range(150)
            for line in range(1 + n % 2)
        ],
        **how,
    )


def nameless(folder: Path) -> None:
    """Users, orders, their lines and products under names that say nothing; ids are whole numbers from 0."""
    how = {"separator": ";"}
    write_table(
        folder / "t1.csv",
        "c_0;c_1;c_2;c_3",
        [(n, 18 + n * 7 % 25, f"{at(n):%Y-%m-%d}", "mf"[n % 2]) for n in range(40)],
        **how,
    )
    write_table(
        folder / "t2.csv",
        "c_0;c_1;c_2",
        [(1000 + n, n * 7 % 43 % 40, f"{at(n):%Y-%m-%d %H:%M:%S}") for n in range(200)],
        **how,
    )
    write_table(
        folder / "t3.csv",
        "c_0;c_1;c_2;c_3;c_4",
        [
            (1000 + n, (n + line) % 9, 1 + line, 1 + n % 5 // 3, f"{1 + n % 30}.{line}5")
            for n in range(200)
            for line in range(1 + n % 2)
        ],
        **how,
    )
    write_table(folder / "t4.csv", "c_0;c_1", [(n, ("Alpha", "Beta")[n % 2]) for n in range(9)], **how)


_CLIENTS = """
    create table clients as select n as id, 'x' || n || '@example.org' as email, 20 + n % 40 as age,
    case n % 2 when 0 then 'f' else 'm' end as sex, timestamp '2020-01-01 00:00:00' as created_at
    from {series}(0, 29) as t(n)
"""
_PURCHASES = """
    create table purchases as select n as id, n % 30 as client_id,
    timestamp '2021-01-01 00:00:00' + n * interval '1 hour' as purchased_at,
    cast(n % 13 as decimal(10, 2)) + 0.5 as amount, case n % 3 when 0 then 'web' else 'app' end as channel
    from {series}(0, 199) as t(n)
"""


def database_statements(series: str) -> list[str]:
    """The statements that make a shop of clients and purchases; ``series`` makes rows in the dialect."""
    return [statement.replace("{series}", series) for statement in (_CLIENTS, _PURCHASES)]


def duckdb_file(file: Path) -> None:
    """The same in a DuckDB file."""
    with duckdb.connect(str(file)) as connection:
        for statement in database_statements("generate_series"):
            connection.execute(statement)
