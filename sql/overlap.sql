-- The ids that should match: for each side the number of ids and the first few. The sides are users with a
-- profile, users with an order, users with both; items sold, items known, items sold and known. The steps
-- before this select are those of user_features.sql. Parameter: examples, the maximum number of ids listed
-- for a side.
select
  listed.side,
  listed.id,
  listed.total
from (
  select
    sides.side,
    substr(sides.id, 1, 256) as id,
    count(*) over (partition by sides.side) as total,
    row_number() over (partition by sides.side order by sides.id) as place
  from (
    select distinct
      'profile' as side,
      user_id as id
    from signups
    union all
    select distinct
      'order' as side,
      user_id as id
    from valid_orders
    union all
    select distinct
      'both' as side,
      s.user_id as id
    from signups as s
    inner join valid_orders as o on s.user_id = o.user_id
    union all
    select distinct
      'sold' as side,
      inventory_item_id as id
    from order_items_read
    where inventory_item_id is not null
    union all
    select
      'known' as side,
      inventory_item_id as id
    from inventory
    union all
    select distinct
      'sold and known' as side,
      i.inventory_item_id as id
    from order_items_read as i
    inner join inventory on i.inventory_item_id = inventory.inventory_item_id
  ) as sides
) as listed
where listed.place <= $examples
order by listed.side, listed.place
