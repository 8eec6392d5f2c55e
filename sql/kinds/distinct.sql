-- The number of different values.
select
  user_id,
  count(distinct value) as value
from source_values
group by user_id
