-- The statuses of the orders with the number of orders, excluded ones first, then the most frequent. The steps
-- before this select are those of user_features.sql. Parameter: examples, the maximum number of statuses.
select
  status,
  count(*) as orders
from valid_orders
where status is not null
group by status
order by case when status in ($exclude_statuses) then 0 else 1 end, count(*) desc, status
limit $examples
