"""Chooses the features from the fields that a shop has."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.printable import printable_cell
from trainer.proposal.found_fields import FieldFound, is_of_order, item_fields, user_fields
from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.own_names import feature_name, field_name
from trainer.proposal.proposed_settings import Proposal
from trainer.proposal.roles.shop_roles import Shop

_MOST_ATTRIBUTES = 8
_MOST_FAVOURITES = 3
_KEPT_USERS = 0.8


@dataclass(slots=True)
class Chosen:
    """The fields that the chosen features read, by their names in Segue; each with what was found of it."""

    user: dict[str, FieldFound] = field(default_factory=dict)
    item: dict[str, FieldFound] = field(default_factory=dict)
    total: tuple[str, ShopColumn] | None = None
    spend: bool = False

    @property
    def items(self) -> bool:
        """Whether a feature reads items."""
        return self.spend or bool(self.item)


def choose(shop: Shop, desk: Desk, proposal: Proposal) -> Chosen:
    """Choose the features: the settings ``features`` and ``declare``, with their reasons.

    Args:
        shop: the shop's tables.
        desk: the copies.
        proposal: gets the settings.
    """
    chosen, features = Chosen(), list[str]()
    declared: dict[str, dict[str, str]] = {}
    _attributes(user_fields(shop, desk), chosen, features, declared, shop, proposal)
    features.append("total_orders")
    _spend(shop, chosen, features, declared, proposal, desk)
    _offer_rfm(shop, chosen, proposal)
    _favourites(item_fields(shop), chosen, features, declared, shop, proposal)
    proposal.settings["features"] = features
    if declared:
        proposal.settings["declare"] = declared
    return chosen


def _attributes(
    fields: Sequence[FieldFound],
    chosen: Chosen,
    features: list[str],
    declared: dict[str, dict[str, str]],
    shop: Shop,
    proposal: Proposal,
) -> None:
    kept, own = 1.0, 0
    # A known field comes first, then a text or a boolean; the rest in the table's order.
    for one in sorted(fields, key=lambda f: (f.role is None, f.column.kind == "number")):
        table = (shop.users or shop.orders, *shop.more_users)[one.source].table.name
        if one.why_not is not None:
            _leave_out(one, table, proposal)
            continue
        share = kept * (1 - one.column.empty_share)
        if one.role is not None:
            known = "age" if one.role == "birth" else one.role
            if known in chosen.user:
                continue
            chosen.user[known] = one
            features.append(known)
            kept = share
            continue
        if own < _MOST_ATTRIBUTES and share >= _KEPT_USERS:
            own, kept = own + 1, share
            name = field_name(one.column.name, chosen.user)
            feature = feature_name(name, "customer", declared)
            kind = one.column.kind if one.column.kind in ("number", "boolean") else "text"
            chosen.user[name] = one
            features.append(feature)
            declared[feature] = {"kind": "attribute", "source": f"user.{name}", "type": kind}
        elif share >= _KEPT_USERS:
            _leave_out(one, table, proposal, "there are enough features")
        else:
            _leave_out(one, table, proposal, "too few users would have all of them")


def _spend(
    shop: Shop,
    chosen: Chosen,
    features: list[str],
    declared: dict[str, dict[str, str]],
    proposal: Proposal,
    desk: Desk,
) -> None:
    lines = [one for one in (shop.items, shop.products) if one is not None]
    total = shop.items.roles.get("total") if shop.items is not None else None
    # Summed over the lines, the total of an order would count once for each line.
    of_order = total is not None and shop.flat and is_of_order(total, shop.orders, desk)
    if any("price" in one.roles for one in lines) or (total is not None and not of_order):
        chosen.spend = True
        declared["total_spend"] = {"kind": "sum", "source": "order_value"}
    elif "total" in shop.orders.roles:
        column = shop.orders.roles["total"]
        name = field_name(column.name)
        chosen.total = (name, column)
        if of_order:
            proposal.say(
                "tables.orders",
                f"{printable_cell(column.name)} is the same in all lines of an order, so it counts once.",
            )
        declared["total_spend"] = {"kind": "sum", "source": f"order.{name}"}
    else:
        proposal.say("features", "total_spend is no feature: no column looks like a price or an amount.")
        return
    features.append("total_spend")


def _offer_rfm(shop: Shop, chosen: Chosen, proposal: Proposal) -> None:
    """Offer the preset, whose features need a time and an amount."""
    if not chosen.spend and chosen.total is None:
        return
    time = printable_cell(shop.orders.roles["time"].name)
    proposal.say(
        "preset",
        f"For segments by recency ({time}), frequency and money (docs/rfm.md), write this line in place of"
        " features and of the section [declare].",
    )
    if chosen.total is not None:
        order_id, amount = (
            printable_cell(one.name) for one in (shop.orders.roles["order_id"], chosen.total[1])
        )
        rows = (
            f"must have one row for each order, with {order_id} as order_id and {amount} as price"
            if shop.flat
            else f"must be the same table, with {order_id} as order_id and {amount} as price in"
            " columns.order_items"
        )
        proposal.say("preset", f"It reads the prices of items: tables.order_items {rows}.")
    proposal.offer("preset", 'preset = "rfm"')


def _favourites(
    fields: Sequence[FieldFound],
    chosen: Chosen,
    features: list[str],
    declared: dict[str, dict[str, str]],
    shop: Shop,
    proposal: Proposal,
) -> None:
    own = 0
    for one in sorted(fields, key=lambda f: f.role is None):
        table = (shop.items, shop.products)[one.source] or shop.orders
        if _of_the_user(one, chosen):
            continue
        if one.why_not is not None:
            _leave_out(one, table.table.name, proposal)
        elif one.role is not None:
            chosen.item[one.role] = one
            features.append(f"most_frequent_{one.role}")
        elif own < _MOST_FAVOURITES:
            own += 1
            name = field_name(one.column.name, chosen.item)
            kind = "boolean" if one.column.kind == "boolean" else "text"
            chosen.item[name] = one
            feature = feature_name(f"most_frequent_{name}", "own", declared)
            proposal.left_out.get(printable_cell(table.table.name), {}).pop(
                printable_cell(one.column.name), None
            )
            features.append(feature)
            declared[feature] = {"kind": "most_frequent", "source": f"item.{name}", "type": kind}
        else:
            _leave_out(one, table.table.name, proposal, "there are enough features")


def _of_the_user(one: FieldFound, chosen: Chosen) -> bool:
    """Whether a column of a flat file is a field of the user already."""
    return any(one.column.place == other.column.place for other in chosen.user.values())


def _leave_out(one: FieldFound, table: str, proposal: Proposal, why: str | None = None) -> None:
    by_column = proposal.left_out.setdefault(printable_cell(table), {})
    by_column.setdefault(printable_cell(one.column.name), why or one.why_not or "")
