-- The rows left out, each with its table, id, reason and wrong value (null if it is missing or too long).
-- `total` is the number of rows with the same table and reason. The steps before this select are those of
-- user_features.sql. Parameter: examples, the maximum number of rows listed for one table and reason.
select
  listed.table_name,
  listed.row_id,
  listed.reason,
  listed.wrong,
  listed.total
from (
  select
    bad.table_name,
    substr(bad.row_id, 1, 256) as row_id,
    bad.reason,
    substr(bad.wrong, 1, 256) as wrong,
    count(*) over (partition by bad.table_name, bad.reason) as total,
    row_number() over (
      partition by bad.table_name, bad.reason order by bad.row_id nulls first, bad.wrong nulls first
    ) as place
  from (
    select
      'users' as table_name,
      user_id as row_id,
      reason,
      case
        when reason like 'age %' then age_written
        when reason like 'created_at is %' then created_written
      end as wrong
    from users_checked
    where reason is not null and ($as_of is null or created_at is null or created_at < $as_of)
    union all
    select
      'orders' as table_name,
      o.order_id as row_id,
      o.reason,
      case when o.reason like 'created_at is %' then o.created_written else item.wrong end as wrong
    from orders_checked as o
    left join (
      select
        order_id,
        reason,
        min(
          case
            when reason like 'an item''s price is%' then price_written
            when reason like 'an item''s quantity is%' then quantity_written
          end
        ) as wrong
      from items_checked
      where reason is not null
      group by order_id, reason
    ) as item
      on o.order_id = item.order_id and o.reason = item.reason
    where o.reason is not null and ($as_of is null or o.created_at is null or o.created_at < $as_of)
    union all
    select
      'order_items' as table_name,
      coalesce(i.item_id, i.order_id) as row_id,
      'no order has its order_id' as reason,
      i.order_id as wrong
    from order_items_read as i
    left join (select distinct order_id from orders_read) as o on i.order_id = o.order_id
    where o.order_id is null
  ) as bad
) as listed
where listed.place <= $examples
order by listed.table_name, listed.reason, listed.place
