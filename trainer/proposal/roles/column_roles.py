"""Finds what the columns of one table are for, by their names and their values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trainer.proposal.looks.name_words import BIRTH, ID, KNOWN, LINE, ORDER, PRODUCT, USER, word_set, words_of
from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable
from trainer.proposal.roles.personal_data import NAMED

Role = Literal[
    "user_id", "person_id", "order_id", "time", "status", "product_id", "brand", "category", "price", "total",
    "quantity", "gender", "age", "birth", "country", "traffic_source", "signup",
]  # fmt: skip
Subject = Literal["user", "order", "item", "product", "other"]

_OTHER_TIMES = word_set(
    "ship shipped shipping delivery delivered due estimated update updated modified approved carrier limit "
    "expire start return returned review answer first lieferdatum versand "
    "leverdatum verzonden dostawy wysylki"
)
_SENT = word_set("ship shipped shipping sent versand")
"""The time of an order that has no other time."""
_ORDER_TIMES = word_set("created placed purchase ordered")
_COSTS = word_set("cost tax discount freight shipping profit fee margin rabatt steuer market")
_WITH_OR_WITHOUT = word_set("incl excl including excluding included excluded")
_QUANTITY = word_set("quantity qty menge anzahl anz unit stueck piece pcs aantal ilosc szt sztuk")
_PRICE = word_set("price preis einzelpreis prijs stukprijs cena")
_TOTAL = word_set(
    "total amount revenue betrag summe umsatz subtotal paid spend gesamt bedrag totaal kwota suma"
)
_SIGNUP = word_set("created registered registration signup joined since registriert angelegt rejestracji")
_SOURCE = word_set("source channel referrer utm traffic medium acquisition kanal")
_CATEGORY = word_set("category kategorie department warengruppe categorie kategoria")
_WEAK_CATEGORY = word_set("line group type class gruppe")
_STATUS = word_set("status")
_BRAND = word_set("brand marke manufacturer hersteller maker merk marka producent")
_GENDER = word_set("gender sex geschlecht geschl geslacht plec")
_COUNTRY = word_set("country land nation kraj")
_AGE = word_set("age alter leeftijd wiek")
_OF_OTHERS = word_set(
    "address campaign category class country coupon currency group language manager method promo role "
    "segment state status type voucher waehrung waluta"
)
"""What an id is of if its name has such a word beside that of a user, an order or a product."""
_SAYING = (
    KNOWN | NAMED | _OTHER_TIMES | _SENT | _ORDER_TIMES | _COSTS | _QUANTITY | _PRICE | _TOTAL | _SIGNUP
    | _SOURCE | _CATEGORY | _WEAK_CATEGORY | _STATUS | _BRAND | _GENDER | _COUNTRY | _AGE
)  # fmt: skip


def subject_of(name: str) -> Subject:
    """Find what the rows of a table are, by the table's name.

    >>> subject_of("order_items"), subject_of("olist_customers_dataset"), subject_of("stores")
    ('item', 'user', 'other')
    """
    words = words_of(name)
    if words & ORDER:
        return "item" if words & LINE else "order"
    if words & USER:
        return "user"
    return "product" if words & PRODUCT else "other"


def says_nothing(name: str, *, of_an_id: bool = False) -> bool:
    """Whether no word of a column's name is known.

    Args:
        name: the name.
        of_an_id: whether words for an id of anything count as unknown.

    >>> says_nothing("c_0"), says_nothing("id_pedido"), says_nothing("id_pedido", of_an_id=True)
    (True, False, True)
    """
    return not words_of(name) & (_SAYING - ID if of_an_id else _SAYING)


@dataclass(frozen=True, slots=True)
class Found:
    """A table and the columns of its roles."""

    table: ShopTable
    roles: Mapping[Role, ShopColumn]

    def score(self, *roles: Role) -> int:
        """How many of the roles the table has."""
        return sum(role in self.roles for role in roles)

    @property
    def is_of_users(self) -> bool:
        """Whether it has a row for each user."""
        return "user_id" in self.roles and self.roles["user_id"].unique


@dataclass(frozen=True, slots=True)
class _Look:
    """A column, the words of its name, and what the rows of its table are."""

    column: ShopColumn
    words: frozenset[str]
    subject: Subject


_Score = Callable[[_Look], float]
"""How well a column fits a role; 0: not at all."""


def roles_of(table: ShopTable) -> dict[Role, ShopColumn]:
    """Find the column of each role; each column has at most one."""
    subject = subject_of(table.name)
    free = [_Look(column, words_of(column.name), subject) for column in table.columns if column.distinct]
    found: dict[Role, ShopColumn] = {}
    for role, score in _SCORES.items():
        best = max(free, key=score, default=None)
        if best is not None and score(best) > 0 and not (role == "time" and _is_one_of_several(best, free)):
            found[role] = best.column
            free.remove(best)
    return found


def _is_id(look: _Look, nouns: frozenset[str], of: Subject) -> float:
    """How well a column is the id of a user, an order or a product."""
    words = look.words
    if not words or words & _OF_OTHERS or look.column.kind in ("date", "boolean", "unreadable"):
        return 0
    best_word = (
        0.5 if words & {"id", "key", "uuid"} else 0.2 if words & {"no", "nr", "nummer", "numer"} else 0
    )
    if words & nouns and words & ID:
        return 3 - 0.3 * len(words - nouns - ID) + best_word
    if look.subject == of and words <= ID:
        return 3 + best_word
    return 2 if words <= nouns and look.column.distinct > 1 else 0


def _user_id(look: _Look) -> float:
    return 0 if look.words & {"unique", "zip"} else _is_id(look, USER, "user")


def _person_id(look: _Look) -> float:
    return 1 if look.words & USER and "unique" in look.words else 0


def _order_id(look: _Look) -> float:
    # The number of a line, or an amount, is no id.
    if look.words & (LINE | USER) or look.column.number.signs or look.words == {"sale"}:
        return 0
    return _is_id(look, ORDER, "order")


def _product_id(look: _Look) -> float:
    if look.words & (ORDER | {"line"}):
        return 0
    # Beside a product's id, that of an item is the line's.
    return _is_id(look, PRODUCT, "product") - 0.1 * ("item" in look.words)


def _time(look: _Look) -> float:
    if look.column.kind != "date" or look.words & BIRTH:
        return 0
    if look.words & _OTHER_TIMES:
        return 0.1 if look.words & _SENT else 0
    if says_nothing(look.column.name):
        return 0.9
    return 1 + bool(look.words & (ORDER | _ORDER_TIMES)) + 0.5 * bool(look.words & _ORDER_TIMES)


def _is_one_of_several(best: _Look, free: Sequence[_Look]) -> bool:
    """Whether only the order of the columns would choose this date, whose name says nothing."""
    return says_nothing(best.column.name) and sum(_time(look) == _time(best) for look in free) > 1


def _price(look: _Look) -> float:
    words = look.words
    if look.column.kind != "number" or not words & _PRICE or _is_cost(words) or words & _TOTAL:
        return 0
    return 2 + 0.5 * bool(words & {"sale", "selling"}) + 0.3 * bool(words & {"unit", "item", "einzel"})


def _is_cost(words: frozenset[str]) -> bool:
    """Whether a name speaks of a part of a price: ``price_tax_incl`` is a price."""
    return bool((words - {"tax"} if words & _WITH_OR_WITHOUT else words) & _COSTS)


def _total(look: _Look) -> float:
    if look.column.kind != "number" or _is_cost(look.words):
        return 0
    alone = ({"sale"}, {"value"}, {"payment", "value"}, {"order", "value"})
    if look.words & _TOTAL or look.words in alone:
        return 1
    # Of two such columns the net one is what was paid, after discounts.
    return {frozenset({"net", "sale"}): 0.9, frozenset({"gross", "sale"}): 0.8}.get(look.words, 0)


def _category(look: _Look) -> float:
    if look.column.kind != "text" or "sub" in look.words or look.words & ID:
        return 0
    if look.words & _CATEGORY:
        return 2
    return 1 if look.words & _WEAK_CATEGORY and look.words & PRODUCT else 0


def _quantity(look: _Look) -> float:
    if look.column.kind != "number" or look.words & (_COSTS | _PRICE | _TOTAL | ID):
        return 0
    return 1 / len(look.words) if look.words & _QUANTITY else 0


def _age(look: _Look) -> float:
    ages = ({"age"}, {"alter"}, {"leeftijd"}, {"wiek"}, {"customer", "age"}, {"user", "age"})
    return 1 if look.column.kind == "number" and look.words in ages else 0


def _named(nouns: frozenset[str], *kinds: str, most: int | None = None) -> _Score:
    """Score a column that has one of these words, is of one of these kinds, and has few values."""

    def score(look: _Look) -> float:
        few = most is None or look.column.distinct <= most
        fits = look.words & nouns and not look.words & ID and look.column.kind in kinds
        return 1 / len(look.words) if fits and few else 0

    return score


_SCORES: Mapping[Role, _Score] = {
    "person_id": _person_id,
    "user_id": _user_id,
    "order_id": _order_id,
    "product_id": _product_id,
    "birth": _named(BIRTH, "date"),
    "time": _time,
    "price": _price,
    "total": _total,
    "quantity": _quantity,
    "status": _named(_STATUS, "text", most=40),
    "brand": _named(_BRAND, "text"),
    "category": _category,
    "gender": _named(_GENDER, "text", most=20),
    "age": _age,
    "country": _named(_COUNTRY, "text", most=300),
    "traffic_source": _named(_SOURCE, "text", most=60),
    "signup": _named(_SIGNUP, "date"),
}
