-- The value with the most items in the newest order that has a value; if equal, the value with the smallest
-- MD5.
select
  ranked.user_id,
  ranked.value
from (
  select
    user_id,
    value,
    row_number() over (
      partition by user_id
      order by created_at desc, order_id desc, sum(weight) desc, md5(user_id || ':' || value)
    ) as place
  from source_values
  group by user_id, order_id, created_at, value
) as ranked
where ranked.place = 1
