-- The users who train: those with a counted order at or after `start` and before `end` (null: no bound). A
-- condition of the feature query, whose steps it reads.
select user_id
from counted_orders
where ($start is null or created_at >= $start) and ($end is null or created_at < $end)
