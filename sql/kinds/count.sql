-- The number of counted orders.
select
  user_id,
  count(*) as value
from source_values
group by user_id
