-- The smallest value.
-- The cast through text turns a whole number into the nearest double.
select
  user_id,
  cast(cast(min(value) as text) as double) / 1000000 as value
from source_values
group by user_id
