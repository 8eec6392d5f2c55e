-- The mean number of days between two orders in a row: from the first to the last, divided by the orders less
-- one. Null below two orders.
-- The casts through text turn a whole number into the nearest double.
select
  user_id,
  cast(cast(date_diff('microsecond', min(created_at), max(created_at)) as text) as double)
  / cast(cast(count(*) - 1 as text) as double) / 86400000000 as value
from source_values
group by user_id
having count(*) > 1
