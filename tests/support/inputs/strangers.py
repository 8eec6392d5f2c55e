"""Two made-up shops in the shapes of exports that people have, with their dirt; docs/your-data.md reads them.

The shapes are those of tests/data/shops, with more customers. The same seed makes the same files.
"""

import csv
import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

STATES = {
    "Canada": ("North America", ("Ontario", "Québec", "Alberta")),
    "Germany": ("Europe", ("Bayern", "Hessen", "Freie Hansestadt Bremen")),
    "Australia": ("Australia", ("Victoria", "Queensland")),
}
BRANDS = ("Northlight", "Kestrel", "Umbra", "A. Datum", "The Phone Co")
CATEGORIES = ("Audio", "TV and Video", "Computers", "Cell phones", "Games and Toys")


def write_electronics(folder: Path, customers: int = 250, seed: int = 1) -> Path:
    """Write customers, products, stores, and the sales of 2019 and 2020, in Windows-1252.

    Dates are 1/31/2019, prices "$12.99 ". Some birthdays are empty, some customers never buy, some sales are
    of customers or products that no file has, and the online store has no square metres.
    """
    some = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    people = []
    for key in range(301, 301 + customers):
        country = some.choices(list(STATES), [5, 3, 1])[0]
        continent, states = STATES[country]
        born = date(1936, 1, 1) + timedelta(days=some.randrange(24_000))
        birthday = "" if some.random() < 0.03 else us_date(born)
        gender = some.choice(("Female", "Male"))
        people.append((key, gender, f"Zoë {key}", some.choice(states), country, continent, birthday))
    columns = ("CustomerKey", "Gender", "Name", "State", "Country", "Continent", "Birthday")
    write(folder / "customers.csv", columns, people)

    prices = [some.choice((4.99, 12.99, 48, 249.9, 1249.5)) for _ in range(40)]
    products = [
        (key, f"Thing {key}", BRANDS[key % 5], f"${price / 2:,.2f} ", f"${price:,.2f} ", CATEGORIES[key % 4])
        for key, price in enumerate(prices, 1)
    ]
    header = ("ProductKey", "Product Name", "Brand", "Unit Cost USD", "Unit Price USD", "Category")
    write(folder / "products.csv", header, products)

    stores = [(0, "Online", "Online", "", "1/1/2010"), (10, "Canada", "Québec", "1210", "3/14/2012")]
    stores += [
        (20, "Germany", "Hessen", "455", "7/2/2013"),
        (30, "Australia", "Victoria", "2000", "1/9/2015"),
    ]
    write(folder / "stores.csv", ("StoreKey", "Country", "State", "Square Meters", "Open Date"), stores)

    sales: dict[int, list[tuple[object, ...]]] = {2019: [], 2020: []}
    for order in range(366_001, 366_001 + customers * 3):
        on = date(2019, 1, 1) + timedelta(days=some.randrange(730))
        buyer = 301 + min(some.randrange(customers), some.randrange(customers + 2))
        store = some.choice((0, 10, 20, 30))
        for line in range(1, some.randint(1, 4) + 1):
            product = 999 if some.random() < 0.01 else some.randint(1, 40)
            row = (order, line, us_date(on), buyer, store, product, some.randint(1, 5))
            sales[on.year].append(row)
    heads = ("Order Number", "Line Item", "Order Date", "CustomerKey", "StoreKey", "ProductKey", "Quantity")
    for year, rows in sales.items():
        write(folder / f"sales {year}.csv", heads, rows)
    return folder


def write_sprocket(folder: Path, customers: int = 250, seed: int = 2) -> Path:
    """Write customers, addresses and transactions, with semicolons, CR LF and decimal commas.

    Times are 31.1.2017 14:05, a gender is spelled six ways. Customer 34 is 174 years old, a few are deceased,
    some have no address or tenure. Some transactions have no brand, and one has nobody's customer id.
    """
    some = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    people, places = [], []
    for key in range(1, customers + 1):
        born = date(1843, 12, 21) if key == 34 else date(1950, 1, 1) + timedelta(days=some.randrange(18_000))
        people.append(
            (
                key,
                some.choice(("F", "Female", "Femal", "M", "Male", "U")),
                f"{born:%Y-%m-%d}",
                some.choice(("Health", "Retail", "IT", "Financial Services", "n/a")),
                some.choice(("Mass Customer", "Affluent Customer", "High Net Worth")),
                "Y" if some.random() < 0.02 else "N",
                some.choice(("Yes", "No")),
                "" if some.random() < 0.03 else some.randint(1, 22),
            )
        )
        if some.random() > 0.02:
            state = some.choice(("NSW", "New South Wales", "VIC", "Victoria", "QLD"))
            places.append((key, f"{key} Mill Lane", 2000 + key, state, "Australia", some.randint(1, 12)))
    header = "customer_id gender DOB job_industry_category wealth_segment deceased_indicator owns_car tenure"
    write_german(folder / "customers.csv", header, people)
    header = "customer_id address postcode state country property_valuation"
    write_german(folder / "addresses.csv", header, places)

    lines = []
    for number in range(1, customers * 4):
        at = date(2017, 1, 1) + timedelta(days=some.randrange(365))
        brand = some.choice(("Arrow", "Birch", "Cobalt", "Drift", ""))
        lines.append(
            (
                number,
                some.randint(0, 100),
                5034 if number == 7 else some.randint(1, customers),
                f"{at.day}.{at.month}.{at.year} {some.randrange(24)}:{some.randrange(60):02}",
                some.choice(("True", "False", "")),
                "Cancelled" if some.random() < 0.05 else "Approved",
                brand,
                some.choice(("Standard", "Road", "Touring", "Mountain")) if brand else "",
                f"{some.randint(100, 209_000) / 100:,.2f}".translate(str.maketrans(",.", ".,")),
            )
        )
    header = (
        "transaction_id product_id customer_id transaction_date online_order order_status brand product_line"
        " list_price"
    )
    write_german(folder / "transactions.csv", header, lines)
    return folder


def us_date(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def write_german(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header.split(), *rows])
