-- The rows left out, each with its table, id and reason; `total` counts its table and reason. The steps
-- before this select are those of user_features.sql. Parameter: examples, the most rows of one table
-- and reason that are listed.
select
  listed.table_name,
  listed.row_id,
  listed.reason,
  listed.total
from (
  select
    bad.table_name,
    substr(bad.row_id, 1, 256) as row_id,
    bad.reason,
    count(*) over (partition by bad.table_name, bad.reason) as total,
    row_number() over (partition by bad.table_name, bad.reason order by bad.row_id nulls first) as place
  from (
    select
      'users' as table_name,
      user_id as row_id,
      reason
    from users_checked
    where reason is not null and ($as_of is null or created_at is null or created_at < $as_of)
    union all
    select
      'orders' as table_name,
      order_id as row_id,
      reason
    from orders_checked
    where reason is not null and ($as_of is null or created_at is null or created_at < $as_of)
    union all
    select
      'order_items' as table_name,
      coalesce(i.item_id, i.order_id) as row_id,
      'no order has its order_id' as reason
    from order_items_read as i
    left join (select distinct order_id from orders_read) as o on i.order_id = o.order_id
    where o.order_id is null
  ) as bad
) as listed
where listed.place <= $examples
order by listed.table_name, listed.reason, listed.place
