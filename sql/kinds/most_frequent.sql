-- The value with the most items; if equal, the value that was bought first; if still equal, the value with
-- the smallest MD5, which does not prefer any letters.
select
  ranked.user_id,
  ranked.value
from (
  select
    user_id,
    value,
    row_number() over (
      partition by user_id
      order by sum(weight) desc, min(created_at), md5(user_id || ':' || value)
    ) as place
  from source_values
  group by user_id, value
) as ranked
where ranked.place = 1
