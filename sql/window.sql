-- The users who train: those with a counted order at or after `start` and before `end` (null: no bound). The
-- feature query uses this as a condition. This select reads the steps of the feature query.
select user_id
from counted_orders
where ($start is null or created_at >= $start) and ($end is null or created_at < $end)
