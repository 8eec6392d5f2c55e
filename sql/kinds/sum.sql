-- The sum.
-- A whole number becomes the nearest double by way of its text.
select
  user_id,
  cast(cast(sum(value * weight) as text) as double) / 1000000 as value
from source_values
group by user_id
