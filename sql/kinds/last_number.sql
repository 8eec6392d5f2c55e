-- The largest number in the newest order that has a number.
select
  ranked.user_id,
  cast(cast(ranked.value as text) as double) / 1000000 as value
from (
  select
    user_id,
    value,
    row_number() over (
      partition by user_id
      order by created_at desc, order_id desc, value desc
    ) as place
  from source_values
) as ranked
where ranked.place = 1
