-- The orders of each user: one row for each user with a counted order at or after `since`. The steps before
-- this select are those of user_features.sql. Parameters: since; cents, the sum of cents.sql.
select
  user_id,
  count(distinct order_id) as orders,
  $cents as cents
from valid_items
where created_at >= $since and not coalesce(status in ($exclude_statuses), false)
group by user_id
order by user_id
