-- The facts as events: one row for each signup, and one row for each item of an order. The steps before this
-- select are those of user_features.sql. Parameter: since, only facts at or after this time (null: all
-- facts).
select
  0 as is_order,
  user_id,
  created_at as at,
  age,
  gender,
  country,
  traffic_source,
  cast(null as text) as order_id,
  cast(null as text) as status,
  cast(null as text) as item_id,
  cast(null as text) as brand,
  cast(null as text) as category,
  cast(null as text) as product_id,
  cast(null as double) as price,
  cast(null as bigint) as quantity
from signups
where $since is null or created_at >= $since
union all
select
  1 as is_order,
  user_id,
  created_at as at,
  cast(null as double) as age,
  cast(null as text) as gender,
  cast(null as text) as country,
  cast(null as text) as traffic_source,
  order_id,
  status,
  item_id,
  brand,
  category,
  product_id,
  price,
  cast(quantity as bigint) as quantity
from valid_items
where $since is null or created_at >= $since
order by
  at,
  is_order,
  user_id,
  order_id,
  item_id,
  brand,
  category,
  product_id,
  price,
  quantity,
  age,
  gender,
  country,
  traffic_source
