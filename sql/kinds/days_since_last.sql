-- Whole days from the last date that is not after the day, to the day.
-- Parameters: day; local_day, the date of created_at in the time zone.
select
  dated.user_id,
  date_diff('day', max(dated.on_day), $day) as value
from (
  select
    user_id,
    $local_day as on_day
  from source_values
) as dated
where dated.on_day <= $day
group by dated.user_id
