"""Columns that are not proposed as features: names, addresses, contacts, ids and free texts."""

import re

from trainer.proposal.looks.name_words import BIRTH, ID, PRODUCT, word_set, words_of
from trainer.proposal.looks.shop_columns import ShopColumn

_NAMES = word_set(
    "name firstname lastname surname forename vorname nachname fullname username middle initial title login "
    "nickname contact naam voornaam achternaam imie nazwisko nazwa"
)
_CONTACTS = word_set(
    "email mail phone telephone tel mobile fax telefon handy whatsapp skype url website telefoon komorka"
)
_ADDRESSES = word_set(
    "address adresse street strasse zip zipcode postcode postal plz latitude longitude lat lng lon geo "
    "geolocation house hausnummer ip geom adres straat huisnummer ulica pocztowy"
)
_SECRETS = word_set("password passwort iban card ssn passport bic token secret hash bsn pesel nip")
_TAXES = word_set("tax vat")
_TEXTS = word_set(
    "description comment note review message text remark bemerkung kommentar opmerking omschrijving uwagi "
    "opis"
)
_ROWS = word_set("deceased deleted test blocked fraud anonymized anonymised")
CONTACT = "a contact of a person"
AN_ID = "an id or a number of something"
NAMED = _NAMES | _CONTACTS | _ADDRESSES | _SECRETS | _TAXES | _TEXTS | _ROWS | BIRTH
"""Words of columns that are no features, and no numbers or ids of a shop."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{7,}[0-9]")
_MOST_VALUES = 60
_LONG = 40
_FEW = 12


def personal(column: ShopColumn, *, of_users: bool) -> str | None:
    """Say why a column is not proposed as a feature; None if it may be.

    Args:
        column: the column.
        of_users: whether it is in a table of users: there a name is a person's.
    """
    words = words_of(column.name)
    # A number beside an order is an amount or a rate, and not the number of a tax payer.
    taxes = _TAXES if of_users or column.kind != "number" else frozenset[str]()
    for kinds, why in (
        (_CONTACTS, CONTACT),
        (_ADDRESSES, "an address or a place of a person"),
        (_SECRETS | taxes, "a secret, or a number of a person or a bank"),
        (BIRTH, "a birthday; only the age is of use"),
    ):
        if words & kinds:
            return why
    if words & _NAMES:
        return "a person's name" if of_users and not words & PRODUCT else "a name"
    if column.samples and all(_EMAIL.fullmatch(value) for value in column.samples):
        return CONTACT
    if column.kind == "text" and column.samples and all(map(_PHONE.fullmatch, column.samples)):
        return CONTACT
    if words & _TEXTS or (column.kind == "text" and column.length > _LONG):
        return "free text"
    if words & ID or words <= PRODUCT:
        return AN_ID
    return None


def unfit(column: ShopColumn, *, of_users: bool) -> str | None:
    """Say why a column gives no useful feature; None if it may."""
    why = personal(column, of_users=of_users)
    if why is not None:
        return why
    if words_of(column.name) & _ROWS:
        return "it says which rows count: filter by it in a query (docs/your-data.md)"
    if column.kind in ("empty", "unreadable"):
        return "it has no values" if column.kind == "empty" else _of_type(column.type)
    if column.kind == "date":
        return "a date"
    if column.distinct < 2:
        return "it has the same value in all rows"
    if column.kind == "text" and column.distinct > _MOST_VALUES:
        return f"it has {column.distinct:,} different texts"
    if of_users and column.unique and column.distinct > _FEW and column.kind == "text":
        return "nearly every row has a text of its own"
    return None


def _of_type(kind: str) -> str:
    """Say that no feature can read a type.

    >>> _of_type("STRUCT(price DOUBLE)[]")
    'it is a list: a query can unnest it (docs/your-data.md)'
    >>> _of_type("STRUCT(age BIGINT)"), _of_type("BLOB")
    ('it has fields: a query can read them (docs/your-data.md)', 'its type is BLOB')
    """
    if kind.endswith("]"):
        return "it is a list: a query can unnest it (docs/your-data.md)"
    if kind.upper().startswith("STRUCT"):
        return "it has fields: a query can read them (docs/your-data.md)"
    return f"its type is {kind}"
