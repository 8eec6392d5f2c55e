-- The orders one by one: one row for each counted order at or after `since`. The steps before this select are
-- those of user_features.sql; `cents` is as in followup.sql. Parameter: since.
select
  user_id,
  order_id,
  min(created_at) as at,
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
group by user_id, order_id
order by user_id, order_id
