-- The mean.
-- The cast through text turns a whole number into the nearest double.
select
  user_id,
  cast(cast(sum(value * weight) as text) as double) / 1000000
  / cast(cast(sum(weight) as text) as double) as value
from source_values
group by user_id
