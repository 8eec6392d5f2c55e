-- The orders of each user: one row for each user with a counted order at or after `since`. The steps before
-- this select are those of user_features.sql. `cents` is a whole number, so its sum does not depend on the
-- order of the rows. Amounts that no shop has are left out. `cents` is null if no item has a price.
-- Parameter: since.
select
  user_id,
  count(distinct order_id) as orders,
  cast(
    sum(
      case
        when price between -1000000000 and 1000000000 and coalesce(quantity, 1) <= 1000000
          then cast(floor(price * 100 + 0.5) as bigint) * cast(coalesce(quantity, 1) as bigint)
      end
    )
    as double
  ) as cents
from valid_items
where created_at >= $since and not coalesce(status in ($exclude_statuses), false)
group by user_id
order by user_id
