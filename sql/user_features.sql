-- The features of every user, from a shop's tables: users, orders, order_items, inventory_items.
--
-- sql/user_features.sql is in DuckDB's dialect, in simple SQL, so that it can be translated for others.
-- Only the *_source steps read the tables. There the column names are adapted to the warehouse; a column that
-- the warehouse does not have becomes null. Every value is read as text first, so that text files and typed
-- tables follow the same rules. try_cast turns a text into a number or a time, because some warehouses also
-- compute the branches of a case that they do not take.
--
-- Parameters: as_of, only facts strictly before this time count (null: all facts); exclude_statuses, orders
-- with one of these statuses do not count; reads_<field>, whether a feature reads the field: if not, the
-- reason that it guards is left out, and a wrong value becomes null.
--
-- The fields of a shop's own are added as columns own_1, own_2, … to the steps from the tables to the values.
-- A table that is not read has no rows.
--
-- The steps up to valid_items decide which rows are facts, and give the reason for each row left out. The
-- events, the rows left out and the counts come from the same steps with another final select (events.sql,
-- rejected.sql, counts.sql).

with

-- 1. The tables as text. Collation "C" compares the UTF-8 bytes, independent of the database's locale.

users_source as (
  select
    cast(users.user_id as text) collate "C" as user_id,
    cast(users.age as text) collate "C" as age,
    cast(users.gender as text) collate "C" as gender,
    cast(users.country as text) collate "C" as country,
    cast(users.traffic_source as text) collate "C" as traffic_source,
    cast(users.created_at as text) collate "C" as created_at
  from users
),

orders_source as (
  select
    cast(orders.order_id as text) collate "C" as order_id,
    cast(orders.user_id as text) collate "C" as user_id,
    cast(orders.status as text) collate "C" as status,
    cast(orders.created_at as text) collate "C" as created_at
  from orders
),

order_items_source as (
  select
    cast(order_items.id as text) collate "C" as item_id,
    cast(order_items.order_id as text) collate "C" as order_id,
    cast(order_items.inventory_item_id as text) collate "C" as inventory_item_id,
    cast(order_items.brand as text) collate "C" as brand,
    cast(order_items.category as text) collate "C" as category,
    cast(order_items.product_id as text) collate "C" as product_id,
    cast(order_items.price as text) collate "C" as price,
    cast(order_items.quantity as text) collate "C" as quantity
  from order_items
),

inventory_items_source as (
  select
    cast(inventory_items.id as text) collate "C" as inventory_item_id,
    cast(inventory_items.product_brand as text) collate "C" as brand,
    cast(inventory_items.product_category as text) collate "C" as category
  from inventory_items
),

-- 2. A blank text is null; other texts are not trimmed. Blank characters are Unicode's white space and the
-- separators of ASCII: the characters for which Python's str.isspace() is true. (A text between '!' and '~'
-- begins with a visible character. Checking this first avoids nearly all of the trimming.)

blank as (
  select
    chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(28) || chr(29) || chr(30) || chr(31) || chr(32)
    || chr(133) || chr(160) || chr(5760) || chr(8192) || chr(8193) || chr(8194) || chr(8195) || chr(8196)
    || chr(8197) || chr(8198) || chr(8199) || chr(8200) || chr(8201) || chr(8202) || chr(8232) || chr(8233)
    || chr(8239) || chr(8287) || chr(12288) as characters
),

users_read as (
  select
    case when s.user_id between '!' and '~' or trim(s.user_id, blank.characters) <> ''
      then s.user_id end as user_id,
    case when s.age between '!' and '~' or trim(s.age, blank.characters) <> '' then s.age end as age,
    case when s.gender between '!' and '~' or trim(s.gender, blank.characters) <> ''
      then s.gender end as gender,
    case when s.country between '!' and '~' or trim(s.country, blank.characters) <> ''
      then s.country end as country,
    case when s.traffic_source between '!' and '~' or trim(s.traffic_source, blank.characters) <> ''
      then s.traffic_source end as traffic_source,
    case when s.created_at between '!' and '~' or trim(s.created_at, blank.characters) <> ''
      then s.created_at end as created_at
  from users_source as s
  cross join blank
),

orders_read as (
  select
    case when s.order_id between '!' and '~' or trim(s.order_id, blank.characters) <> ''
      then s.order_id end as order_id,
    case when s.user_id between '!' and '~' or trim(s.user_id, blank.characters) <> ''
      then s.user_id end as user_id,
    case when s.status between '!' and '~' or trim(s.status, blank.characters) <> ''
      then s.status end as status,
    case when s.created_at between '!' and '~' or trim(s.created_at, blank.characters) <> ''
      then s.created_at end as created_at
  from orders_source as s
  cross join blank
),

order_items_read as (
  select
    case when s.item_id between '!' and '~' or trim(s.item_id, blank.characters) <> ''
      then s.item_id end as item_id,
    case when s.order_id between '!' and '~' or trim(s.order_id, blank.characters) <> ''
      then s.order_id end as order_id,
    case when s.inventory_item_id between '!' and '~' or trim(s.inventory_item_id, blank.characters) <> ''
      then s.inventory_item_id end as inventory_item_id,
    case when s.brand between '!' and '~' or trim(s.brand, blank.characters) <> '' then s.brand end as brand,
    case when s.category between '!' and '~' or trim(s.category, blank.characters) <> ''
      then s.category end as category,
    case when s.product_id between '!' and '~' or trim(s.product_id, blank.characters) <> ''
      then s.product_id end as product_id,
    case when s.price between '!' and '~' or trim(s.price, blank.characters) <> '' then s.price end as price,
    case when s.quantity between '!' and '~' or trim(s.quantity, blank.characters) <> ''
      then s.quantity end as quantity
  from order_items_source as s
  cross join blank
),

inventory_items_read as (
  select
    s.inventory_item_id,
    case when s.brand between '!' and '~' or trim(s.brand, blank.characters) <> '' then s.brand end as brand,
    case when s.category between '!' and '~' or trim(s.category, blank.characters) <> ''
      then s.category end as category
  from inventory_items_source as s
  cross join blank
),

-- An id that occurs twice here must not double the items sold.
inventory as (
  select
    ranked.inventory_item_id,
    ranked.brand,
    ranked.category
  from (
    select
      inventory_item_id,
      brand,
      category,
      row_number() over (
        partition by inventory_item_id order by brand nulls last, category nulls last
      ) as place
    from inventory_items_read
    where inventory_item_id is not null
  ) as ranked
  where ranked.place = 1
),

-- 3. Times: an existing date; a time of day (default: midnight), with or without seconds; then Z, UTC or an
-- offset (default: UTC). After conversion to UTC a time has no offset and lies in the years 1 to 9999. Digits
-- beyond microseconds are cut.

times_written as (
  select created_at as written
  from users_read
  where created_at is not null
  union
  select created_at as written
  from orders_read
  where created_at is not null
),

times_whole as (
  select
    written,
    case
      when length(written) > 10 and substr(written, 17, 1) not in (':', '.')
        then substr(written, 1, 16) || ':00' || substr(written, 17)
      else written
    end as whole
  from times_written
),

times_split as (
  select
    written,
    case
      when
        substr(whole, 1, 4) <> '0000'
        and regexp_matches(
          whole,
          '^([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)([Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?( ?UTC|[Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?$'
        )
        then
          substr(whole, 1, 10)
          || case when length(whole) = 10 then ' 00:00:00' else ' ' || substr(whole, 12, 8) end
          || case
            when substr(whole, 20, 1) = '.'
              then regexp_replace(substr(whole, 20), '^(\.[0-9]{1,6}).*$', '\1')
            else ''
          end
    end as local_time,
    regexp_replace(substr(whole, 20), '^(\.[0-9]+)?( ?UTC|[Zz])?', '') as shift
  from times_whole
),

times_shifted as (
  select
    written,
    try_cast(local_time as timestamp)
    - case
      when local_time is null or shift = '' then 0
      else
        (
          60 * try_cast(substr(shift, 2, 2) as integer)
          + case when length(shift) = 3 then 0 else try_cast(right(shift, 2) as integer) end
        )
        * case when substr(shift, 1, 1) = '-' then -1 else 1 end
    end
    * interval '1 minute' as at
  from times_split
),

times as (
  select
    written,
    at
  from times_shifted
  where at between timestamp '0001-01-01 00:00:00' and timestamp '9999-12-31 23:59:59.999999'
),

-- 4. Numbers: as in JSON, with leading zeros and a plus sign allowed, in a range that a double has in every
-- warehouse. NaN and infinity are not numbers. A positive number below 1e-324 is 0, as in an event.

numbers_written as (
  select age as written
  from users_read
  where age is not null
  union
  select price as written
  from order_items_read
  where price is not null
  union
  select quantity as written
  from order_items_read
  where quantity is not null
),

numbers_read as (
  select
    written,
    case
      when
        regexp_matches(
          written,
          '^[+-]?([0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?|[1-9](\.[0-9]{1,40})?[eE][+-]?([012][0-9]{2}|30[0-7]))$'
        )
        then try_cast(written as double)
      when
        regexp_matches(
          written,
          '^[+]?([0-9](\.[0-9]{1,40})?[eE]-0*(32[5-9]|3[3-9][0-9]|[4-9][0-9]{2}|[1-9][0-9]{3,})|0+\.0{200}0{124}[0-9]*)$'
        )
        then cast(0 as double)
    end as value
  from numbers_written
),

-- A whole number keeps all its digits; a double is exact only up to 2^53.
numbers as (
  select
    written,
    value,
    case
      when regexp_matches(written, '^[0-9]{1,38}$') then try_cast(written as decimal(38, 0))
      when value between -9007199254740992 and 9007199254740992 and value = floor(value)
        then cast(value as decimal(38, 0))
    end as whole
  from numbers_read
  where value is not null
),

-- 5. Facts: each row with the reason why it is not accepted as an event, or null.

users_checked as (
  select
    u.user_id,
    case when age.value between 0 and 150 then age.value end as age,
    case when strlen(u.gender) <= 1024 then u.gender end as gender,
    case when strlen(u.country) <= 1024 then u.country end as country,
    case when strlen(u.traffic_source) <= 1024 then u.traffic_source end as traffic_source,
    u.age as age_written,
    u.created_at as created_written,
    case when u.created_at is null then timestamp '1970-01-01 00:00:00' else times.at end as created_at,
    case
      when u.user_id is null then 'user_id is missing'
      when strlen(u.user_id) > 256 then 'user_id has more than 256 bytes'
      when u.created_at is not null and times.at is null then 'created_at is not a time'
      when $bounded and (times.at > $latest) then 'created_at is ahead of now by more than max_ahead'
      when $reads_age and (u.age is not null and age.value is null) then 'age is not a number'
      when $reads_age and (age.value < 0 or age.value > 150) then 'age is outside 0..150'
      when $reads_gender and (strlen(u.gender) > 1024) then 'gender has more than 1,024 bytes'
      when $reads_country and (strlen(u.country) > 1024) then 'country has more than 1,024 bytes'
      when $reads_traffic_source and (strlen(u.traffic_source) > 1024)
        then 'traffic_source has more than 1,024 bytes'
    end as reason
  from users_read as u
  left join times on u.created_at = times.written
  left join numbers as age on u.age = age.written
),

signups as (
  select
    user_id,
    age,
    gender,
    country,
    traffic_source,
    created_at
  from users_checked
  where reason is null and ($as_of is null or created_at < $as_of)
),

-- Each field is read from one of the two tables only; the column of the other is null.
items_known as (
  select
    i.item_id,
    i.order_id,
    coalesce(i.brand, inventory.brand) as brand,
    coalesce(i.category, inventory.category) as category,
    i.product_id,
    i.price,
    i.quantity
  from order_items_read as i
  left join inventory on i.inventory_item_id = inventory.inventory_item_id
  where i.order_id is not null
),

items_checked as (
  select
    i.item_id,
    i.order_id,
    case when strlen(i.brand) <= 1024 then i.brand end as brand,
    case when strlen(i.category) <= 1024 then i.category end as category,
    case when strlen(i.product_id) <= 256 then i.product_id end as product_id,
    price.value as price,
    case when quantity.whole between 1 and 9223372036854775807 then quantity.whole end as quantity,
    i.price as price_written,
    i.quantity as quantity_written,
    case
      when $reads_brand and (strlen(i.brand) > 1024) then 'an item''s brand has more than 1,024 bytes'
      when $reads_category and (strlen(i.category) > 1024)
        then 'an item''s category has more than 1,024 bytes'
      when $reads_product_id and (strlen(i.product_id) > 256)
        then 'an item''s product_id has more than 256 bytes'
      when $reads_price and (i.price is not null and price.value is null)
        then 'an item''s price is not a finite number'
      when
        $reads_quantity
        and (i.quantity is not null and coalesce(quantity.whole not between 1 and 9223372036854775807, true))
        then 'an item''s quantity is not a whole number of at least 1'
    end as reason
  from items_known as i
  left join numbers as price on i.price = price.written
  left join numbers as quantity on i.quantity = quantity.written
),

baskets as (
  select
    order_id,
    count(*) as items,
    min(reason) as reason
  from items_checked
  group by order_id
),

-- An order with one bad item is left out as a whole: half an order is not a fact.
orders_checked as (
  select
    o.order_id,
    o.user_id,
    case when strlen(o.status) <= 1024 then o.status end as status,
    times.at as created_at,
    o.created_at as created_written,
    case
      when o.order_id is null then 'order_id is missing'
      when strlen(o.order_id) > 256 then 'order_id has more than 256 bytes'
      when o.user_id is null then 'user_id is missing'
      when strlen(o.user_id) > 256 then 'user_id has more than 256 bytes'
      when o.created_at is null then 'created_at is missing'
      when times.at is null then 'created_at is not a time'
      when $bounded and (times.at > $latest) then 'created_at is ahead of now by more than max_ahead'
      when $reads_items and (baskets.items is null) then 'the order has no items'
      when baskets.items > 1000 then 'the order has more than 1,000 items'
      when baskets.reason is not null then baskets.reason
      when $reads_status and (strlen(o.status) > 1024) then 'status has more than 1,024 bytes'
    end as reason
  from orders_read as o
  left join times on o.created_at = times.written
  left join baskets on o.order_id = baskets.order_id
),

-- If one order of a user has several rows, the newest row counts. At equal times the row with the larger
-- event (as JSON text) counts: there a missing status is larger than any status, and a quote ends the status.
valid_orders as (
  select
    ranked.user_id,
    ranked.order_id,
    ranked.status,
    ranked.created_at
  from (
    select
      user_id,
      order_id,
      status,
      created_at,
      row_number() over (
        partition by user_id, order_id
        order by
          created_at desc,
          case when status is null then 0 else 1 end,
          replace(replace(status, '\', '\\'), '"', '\"') || '"' desc
      ) as place
    from orders_checked
    where reason is null and ($as_of is null or created_at < $as_of)
  ) as ranked
  where ranked.place = 1
),

-- Where no feature reads items, an order has one row without an item.
valid_items as (
  select
    o.user_id,
    o.order_id,
    o.status,
    o.created_at,
    i.order_id as item_of,
    i.item_id,
    i.brand,
    i.category,
    i.product_id,
    i.price,
    i.quantity
  from valid_orders as o
  left join items_checked as i on o.order_id = i.order_id
),

everyone as (
  select user_id
  from signups
  union
  select user_id
  from valid_orders
),

-- 6. Features. If a user has several rows, the newest row with a value counts, for each field; at equal times
-- the larger value counts.

profiles as (
  select distinct
    user_id,
    first_value(age) over (
      partition by user_id
      order by case when age is null then 1 else 0 end, created_at desc, age desc
    ) as age,
    first_value(gender) over (
      partition by user_id
      order by case when gender is null then 1 else 0 end, created_at desc, gender desc
    ) as gender,
    first_value(country) over (
      partition by user_id
      order by case when country is null then 1 else 0 end, created_at desc, country desc
    ) as country,
    first_value(traffic_source) over (
      partition by user_id
      order by case when traffic_source is null then 1 else 0 end, created_at desc, traffic_source desc
    ) as traffic_source
  from signups
),

-- Features come only from counted orders.

counted_orders as (
  select
    user_id,
    order_id,
    created_at,
    status
  from valid_orders
  where not coalesce(status in ($exclude_statuses), false)
),

-- An amount is a whole number of millionths, because a sum of doubles depends on the order of its rows. An
-- item with a price above 10^12, or with more than 10^6 pieces, adds no amount, so that no sum can overflow.
counted_items as (
  select
    user_id,
    order_id,
    created_at,
    brand,
    category,
    product_id,
    coalesce(quantity, 1) as pieces,
    case
      when coalesce(quantity, 1) <= 1000000 and price between -1000000000000 and 1000000000000
        then cast(cast(floor(price * 1000000 + 0.5) as bigint) as decimal(19, 0))
    end as price
  from valid_items
  where not coalesce(status in ($exclude_statuses), false)
),

-- The sources of features: for each source its values, their order and their weights. Prices, quantities and
-- order values are in millionths.

order_id_values as (
  select
    user_id,
    order_id,
    created_at,
    order_id as value,
    1 as weight
  from counted_orders
),

status_values as (
  select
    user_id,
    order_id,
    created_at,
    status as value,
    1 as weight
  from counted_orders
  where status is not null
),

brand_values as (
  select
    user_id,
    order_id,
    created_at,
    brand as value,
    pieces as weight
  from counted_items
  where brand is not null
),

category_values as (
  select
    user_id,
    order_id,
    created_at,
    category as value,
    pieces as weight
  from counted_items
  where category is not null
),

product_id_values as (
  select
    user_id,
    order_id,
    created_at,
    product_id as value,
    pieces as weight
  from counted_items
  where product_id is not null
),

price_values as (
  select
    user_id,
    order_id,
    created_at,
    price as value,
    cast(pieces as bigint) as weight
  from counted_items
  where price is not null
),

quantity_values as (
  select
    user_id,
    order_id,
    created_at,
    cast(cast(pieces as bigint) as decimal(19, 0)) * 1000000 as value,
    1 as weight
  from counted_items
  where pieces <= 1000000
),

order_value_values as (
  select
    user_id,
    order_id,
    created_at,
    sum(value * weight) as value,
    1 as weight
  from price_values
  group by user_id, order_id, created_at
)

-- For each declared feature, a step of its kind (kinds/*.sql, over the values of its source), a join and a
-- column are added here.

select everyone.user_id
from everyone
order by everyone.user_id
