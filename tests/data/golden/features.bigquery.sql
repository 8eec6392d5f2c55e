/* The features of every user, from a shop's tables: users, orders, order_items, inventory_items. */
/* sql/user_features.sql is in DuckDB's dialect, in simple SQL, so that it can be translated for others. */
/* Only the *_source steps read the tables. There the column names are adapted to the warehouse; a column that */
/* the warehouse does not have becomes null. Every value is read as text first, so that text files and typed */
/* tables follow the same rules. try_cast turns a text into a number or a time, because some warehouses also */
/* compute the branches of a case that they do not take. */
/* Parameters: as_of, only facts strictly before this time count (null: all facts); exclude_statuses, orders */
/* with one of these statuses do not count; reads_<field>, whether a feature reads the field: if not, the */
/* reason that it guards is left out, and a wrong value becomes null. */
/* The fields of a shop's own are added as columns own_1, own_2, … to the steps from the tables to the values. */
/* A table that is not read has no rows. */
/* The steps up to valid_items decide which rows are facts, and give the reason for each row left out. The */
/* events, the rows left out and the counts come from the same steps with another final select (events.sql, */
/* rejected.sql, counts.sql). */
WITH users_source /* 1. The tables as text. Collation "C" compares the UTF-8 bytes, independent of the database's locale. */ AS (
  SELECT
    CAST(users.`Customer No` AS STRING) AS user_id,
    CAST(users.`age` AS STRING) AS age,
    CAST(users.`gender` AS STRING) AS gender,
    CAST(users.`country` AS STRING) AS country,
    CAST(users.`traffic_source` AS STRING) AS traffic_source,
    CAST(users.`created_at` AS STRING) AS created_at,
    CAST(users.`born` AS STRING) AS own_1,
    CAST(users.`income` AS STRING) AS own_2,
    CAST(users.`member` AS STRING) AS own_3
  FROM crm.customers AS users
), orders_source AS (
  SELECT
    CAST(orders.`order_id` AS STRING) AS order_id,
    CAST(orders.`user_id` AS STRING) AS user_id,
    CAST(orders.`status` AS STRING) AS status,
    CAST(orders.`created_at` AS STRING) AS created_at,
    CAST(orders.`ship_country` AS STRING) AS own_4,
    CAST(orders.`ship_days` AS STRING) AS own_5
  FROM orders
), order_items_source AS (
  SELECT
    CAST(order_items.`id` AS STRING) AS item_id,
    CAST(order_items.`order_id` AS STRING) AS order_id,
    CAST(order_items.`inventory_item_id` AS STRING) AS inventory_item_id,
    CAST(order_items.`brand` AS STRING) AS brand,
    CAST(order_items.`category` AS STRING) AS category,
    CAST(order_items.`product_id` AS STRING) AS product_id,
    CAST(order_items.`price` AS STRING) AS price,
    CAST(NULL AS STRING) AS quantity,
    CAST(order_items.`material` AS STRING) AS own_6,
    CAST(order_items.`weight` AS STRING) AS own_7
  FROM order_items
), inventory_items_source AS (
  SELECT
    CAST(inventory_items.`id` AS STRING) AS inventory_item_id,
    CAST(inventory_items.`product_brand` AS STRING) AS brand,
    CAST(inventory_items.`product_category` AS STRING) AS category,
    CAST(inventory_items.`material` AS STRING) AS own_6,
    CAST(inventory_items.`weight` AS STRING) AS own_7
  FROM inventory_items
), blank /* 2. A blank text is null; other texts are not trimmed. Blank characters are Unicode's white space and the */ /* separators of ASCII: the characters for which Python's str.isspace() is true. (A text between '!' and '~' */ /* begins with a visible character. Checking this first avoids nearly all of the trimming.) */ AS (
  SELECT
    CHR(  9) || CHR(  10) || CHR(  11) || CHR(  12) || CHR(  13) || CHR(  28) || CHR(  29) || CHR(  30) || CHR(  31) || CHR(  32) || CHR(  133) || CHR(  160) || CHR(  5760) || CHR(  8192) || CHR(  8193) || CHR(  8194) || CHR(  8195) || CHR(  8196) || CHR(  8197) || CHR(  8198) || CHR(  8199) || CHR(  8200) || CHR(  8201) || CHR(  8202) || CHR(  8232) || CHR(  8233) || CHR(  8239) || CHR(  8287) || CHR(  12288) AS characters
), users_read AS (
  SELECT
    CASE
      WHEN s.user_id BETWEEN '!' AND '~' OR TRIM(s.user_id, blank.characters) <> ''
      THEN s.user_id
    END AS user_id,
    CASE
      WHEN s.age BETWEEN '!' AND '~' OR TRIM(s.age, blank.characters) <> ''
      THEN s.age
    END AS age,
    CASE
      WHEN s.gender BETWEEN '!' AND '~' OR TRIM(s.gender, blank.characters) <> ''
      THEN s.gender
    END AS gender,
    CASE
      WHEN s.country BETWEEN '!' AND '~' OR TRIM(s.country, blank.characters) <> ''
      THEN s.country
    END AS country,
    CASE
      WHEN s.traffic_source BETWEEN '!' AND '~'
      OR TRIM(s.traffic_source, blank.characters) <> ''
      THEN s.traffic_source
    END AS traffic_source,
    CASE
      WHEN s.created_at BETWEEN '!' AND '~' OR TRIM(s.created_at, blank.characters) <> ''
      THEN s.created_at
    END AS created_at,
    CASE
      WHEN s.own_1 BETWEEN '!' AND '~' OR TRIM(s.own_1, blank.characters) <> ''
      THEN s.own_1
    END AS own_1,
    CASE
      WHEN s.own_2 BETWEEN '!' AND '~' OR TRIM(s.own_2, blank.characters) <> ''
      THEN s.own_2
    END AS own_2,
    CASE
      WHEN s.own_3 BETWEEN '!' AND '~' OR TRIM(s.own_3, blank.characters) <> ''
      THEN s.own_3
    END AS own_3
  FROM users_source AS s
  CROSS JOIN blank
), orders_read AS (
  SELECT
    CASE
      WHEN s.order_id BETWEEN '!' AND '~' OR TRIM(s.order_id, blank.characters) <> ''
      THEN s.order_id
    END AS order_id,
    CASE
      WHEN s.user_id BETWEEN '!' AND '~' OR TRIM(s.user_id, blank.characters) <> ''
      THEN s.user_id
    END AS user_id,
    CASE
      WHEN s.status BETWEEN '!' AND '~' OR TRIM(s.status, blank.characters) <> ''
      THEN s.status
    END AS status,
    CASE
      WHEN s.created_at BETWEEN '!' AND '~' OR TRIM(s.created_at, blank.characters) <> ''
      THEN s.created_at
    END AS created_at,
    CASE
      WHEN s.own_4 BETWEEN '!' AND '~' OR TRIM(s.own_4, blank.characters) <> ''
      THEN s.own_4
    END AS own_4,
    CASE
      WHEN s.own_5 BETWEEN '!' AND '~' OR TRIM(s.own_5, blank.characters) <> ''
      THEN s.own_5
    END AS own_5
  FROM orders_source AS s
  CROSS JOIN blank
), order_items_read AS (
  SELECT
    CASE
      WHEN s.item_id BETWEEN '!' AND '~' OR TRIM(s.item_id, blank.characters) <> ''
      THEN s.item_id
    END AS item_id,
    CASE
      WHEN s.order_id BETWEEN '!' AND '~' OR TRIM(s.order_id, blank.characters) <> ''
      THEN s.order_id
    END AS order_id,
    CASE
      WHEN s.inventory_item_id BETWEEN '!' AND '~'
      OR TRIM(s.inventory_item_id, blank.characters) <> ''
      THEN s.inventory_item_id
    END AS inventory_item_id,
    CASE
      WHEN s.brand BETWEEN '!' AND '~' OR TRIM(s.brand, blank.characters) <> ''
      THEN s.brand
    END AS brand,
    CASE
      WHEN s.category BETWEEN '!' AND '~' OR TRIM(s.category, blank.characters) <> ''
      THEN s.category
    END AS category,
    CASE
      WHEN s.product_id BETWEEN '!' AND '~' OR TRIM(s.product_id, blank.characters) <> ''
      THEN s.product_id
    END AS product_id,
    CASE
      WHEN s.price BETWEEN '!' AND '~' OR TRIM(s.price, blank.characters) <> ''
      THEN s.price
    END AS price,
    CASE
      WHEN s.quantity BETWEEN '!' AND '~' OR TRIM(s.quantity, blank.characters) <> ''
      THEN s.quantity
    END AS quantity,
    CASE
      WHEN s.own_6 BETWEEN '!' AND '~' OR TRIM(s.own_6, blank.characters) <> ''
      THEN s.own_6
    END AS own_6,
    CASE
      WHEN s.own_7 BETWEEN '!' AND '~' OR TRIM(s.own_7, blank.characters) <> ''
      THEN s.own_7
    END AS own_7
  FROM order_items_source AS s
  CROSS JOIN blank
), inventory_items_read AS (
  SELECT
    s.inventory_item_id,
    CASE
      WHEN s.brand BETWEEN '!' AND '~' OR TRIM(s.brand, blank.characters) <> ''
      THEN s.brand
    END AS brand,
    CASE
      WHEN s.category BETWEEN '!' AND '~' OR TRIM(s.category, blank.characters) <> ''
      THEN s.category
    END AS category,
    CASE
      WHEN s.own_6 BETWEEN '!' AND '~' OR TRIM(s.own_6, blank.characters) <> ''
      THEN s.own_6
    END AS own_6,
    CASE
      WHEN s.own_7 BETWEEN '!' AND '~' OR TRIM(s.own_7, blank.characters) <> ''
      THEN s.own_7
    END AS own_7
  FROM inventory_items_source AS s
  CROSS JOIN blank
), inventory /* An id that occurs twice here must not double the items sold. */ AS (
  SELECT
    ranked.inventory_item_id,
    ranked.brand,
    ranked.category,
    ranked.own_6,
    ranked.own_7
  FROM (
    SELECT
      inventory_item_id,
      brand,
      category,
      ROW_NUMBER() OVER (
        PARTITION BY inventory_item_id
        ORDER BY brand NULLS LAST, category NULLS LAST, own_6 NULLS LAST, own_7 NULLS LAST
      ) AS place,
      own_6,
      own_7
    FROM inventory_items_read
    WHERE
      NOT inventory_item_id IS NULL
  ) AS ranked
  WHERE
    ranked.place = 1
), times_written /* 3. Times: an existing date; a time of day (default: midnight), with or without seconds; then Z, UTC or an */ /* offset (default: UTC). After conversion to UTC a time has no offset and lies in the years 1 to 9999. Digits */ /* beyond microseconds are cut. */ AS (
  SELECT
    created_at AS written
  FROM users_read
  WHERE
    NOT created_at IS NULL
  UNION DISTINCT
  SELECT
    created_at AS written
  FROM orders_read
  WHERE
    NOT created_at IS NULL
  UNION DISTINCT
  SELECT
    own_1 AS written
  FROM users_read
  WHERE
    NOT own_1 IS NULL
), times_whole AS (
  SELECT
    written,
    CASE
      WHEN LENGTH(written) > 10 AND NOT SUBSTRING(written, 17, 1) IN (':', '.')
      THEN SUBSTRING(written, 1, 16) || ':00' || SUBSTRING(written, 17)
      ELSE written
    END AS whole
  FROM times_written
), times_split AS (
  SELECT
    written,
    CASE
      WHEN SUBSTRING(whole, 1, 4) <> '0000'
      AND REGEXP_CONTAINS(
        whole,
        '^([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)([Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?( ?UTC|[Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?$'
      )
      THEN SUBSTRING(whole, 1, 10) || CASE
        WHEN LENGTH(whole) = 10
        THEN ' 00:00:00'
        ELSE ' ' || SUBSTRING(whole, 12, 8)
      END || CASE
        WHEN SUBSTRING(whole, 20, 1) = '.'
        THEN REGEXP_REPLACE(SUBSTRING(whole, 20), '^(\\.[0-9]{1,6}).*$', '\\1')
        ELSE ''
      END
    END AS local_time,
    REGEXP_REPLACE(SUBSTRING(whole, 20), '^(\\.[0-9]+)?( ?UTC|[Zz])?', '') AS shift
  FROM times_whole
), times_shifted AS (
  SELECT
    written,
    SAFE.DATETIME_SUB(SAFE_CAST(local_time AS DATETIME), INTERVAL (
      CASE
        WHEN local_time IS NULL OR shift = ''
        THEN 0
        ELSE (
          60 * SAFE_CAST(SUBSTRING(shift, 2, 2) AS INT64) + CASE WHEN LENGTH(shift) = 3 THEN 0 ELSE SAFE_CAST(RIGHT(shift, 2) AS INT64) END
        ) * CASE WHEN SUBSTRING(shift, 1, 1) = '-' THEN -1 ELSE 1 END
      END
    ) MINUTE) AS `at`
  FROM times_split
), times AS (
  SELECT
    written,
    `at`
  FROM times_shifted
  WHERE
    `at` BETWEEN CAST('0001-01-01 00:00:00' AS DATETIME) AND CAST('9999-12-31 23:59:59.999999' AS DATETIME)
), numbers_written /* 4. Numbers: as in JSON, with leading zeros and a plus sign allowed, in a range that a double has in every */ /* warehouse. NaN and infinity are not numbers. A positive number below 1e-324 is 0, as in an event. */ AS (
  SELECT
    age AS written
  FROM users_read
  WHERE
    NOT age IS NULL
  UNION DISTINCT
  SELECT
    price AS written
  FROM order_items_read
  WHERE
    NOT price IS NULL
  UNION DISTINCT
  SELECT
    quantity AS written
  FROM order_items_read
  WHERE
    NOT quantity IS NULL
  UNION DISTINCT
  SELECT
    own_2 AS written
  FROM users_read
  WHERE
    NOT own_2 IS NULL
  UNION DISTINCT
  SELECT
    own_5 AS written
  FROM orders_read
  WHERE
    NOT own_5 IS NULL
  UNION DISTINCT
  SELECT
    own_7 AS written
  FROM order_items_read
  WHERE
    NOT own_7 IS NULL
  UNION DISTINCT
  SELECT
    own_7 AS written
  FROM inventory_items_read
  WHERE
    NOT own_7 IS NULL
), numbers_read AS (
  SELECT
    written,
    CASE
      WHEN REGEXP_CONTAINS(
        written,
        '^[+-]?([0-9]{1,40}(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?|[1-9](\\.[0-9]{1,40})?[eE][+-]?([012][0-9]{2}|30[0-7]))$'
      )
      THEN SAFE_CAST(written AS FLOAT64)
      WHEN REGEXP_CONTAINS(
        written,
        '^[+]?([0-9](\\.[0-9]{1,40})?[eE]-0*(32[5-9]|3[3-9][0-9]|[4-9][0-9]{2}|[1-9][0-9]{3,})|0+\\.0{200}0{124}[0-9]*)$'
      )
      THEN CAST(0 AS FLOAT64)
    END AS value
  FROM numbers_written
), numbers /* A whole number keeps all its digits; a double is exact only up to 2^53. */ AS (
  SELECT
    written,
    value,
    CASE
      WHEN REGEXP_CONTAINS(written, '^[0-9]{1,38}$')
      THEN SAFE_CAST(written AS BIGNUMERIC)
      WHEN value BETWEEN -9007199254740992 AND 9007199254740992 AND value = FLOOR(value)
      THEN CAST(value AS BIGNUMERIC)
    END AS whole
  FROM numbers_read
  WHERE
    NOT value IS NULL
), users_checked /* 5. Facts: each row with the reason why it is not accepted as an event, or null. */ AS (
  SELECT
    u.user_id,
    CASE WHEN age.value BETWEEN 0 AND 150 THEN age.value END AS age,
    CASE WHEN BYTE_LENGTH(u.gender) <= 1024 THEN u.gender END AS gender,
    CASE WHEN BYTE_LENGTH(u.country) <= 1024 THEN u.country END AS country,
    CASE WHEN BYTE_LENGTH(u.traffic_source) <= 1024 THEN u.traffic_source END AS traffic_source,
    u.age AS age_written,
    u.created_at AS created_written,
    CASE
      WHEN u.created_at IS NULL
      THEN CAST('1970-01-01 00:00:00' AS DATETIME)
      ELSE times.`at`
    END AS created_at,
    CASE
      WHEN u.user_id IS NULL
      THEN 'user_id is missing'
      WHEN BYTE_LENGTH(u.user_id) > 256
      THEN 'user_id has more than 256 bytes'
      WHEN NOT u.created_at IS NULL AND times.`at` IS NULL
      THEN 'created_at is not a time'
      WHEN NOT u.age IS NULL AND age.value IS NULL
      THEN 'age is not a number'
      WHEN age.value < 0 OR age.value > 150
      THEN 'age is outside 0..150'
      WHEN BYTE_LENGTH(u.gender) > 1024
      THEN 'gender has more than 1,024 bytes'
      WHEN BYTE_LENGTH(u.country) > 1024
      THEN 'country has more than 1,024 bytes'
      WHEN BYTE_LENGTH(u.traffic_source) > 1024
      THEN 'traffic_source has more than 1,024 bytes'
      WHEN NOT u.own_1 IS NULL AND own_1_time.`at` IS NULL
      THEN 'born is neither a date nor a time'
      WHEN NOT u.own_2 IS NULL AND own_2_number.value IS NULL
      THEN 'income is not a finite number'
      WHEN NOT LOWER(u.own_3) IN ('true', 't', '1', 'yes', 'y', 'false', 'f', '0', 'no', 'n')
      THEN 'member is neither true nor false'
    END AS reason,
    CASE
      WHEN LENGTH(u.own_1) = 10
      THEN u.own_1
      WHEN NOT own_1_time.`at` IS NULL
      THEN CAST(GREATEST(
        CAST(SAFE.DATETIME_SUB(own_1_time.`at`, INTERVAL (
          CASE
            WHEN own_1_time.`at` >= CAST('1945-10-14 17:30:00' AS DATETIME)
            THEN -19800
            WHEN own_1_time.`at` >= CAST('1942-08-31 18:30:00' AS DATETIME)
            THEN -23400
            WHEN own_1_time.`at` >= CAST('1942-05-14 17:30:00' AS DATETIME)
            THEN -19800
            WHEN own_1_time.`at` >= CAST('1941-09-30 18:30:00' AS DATETIME)
            THEN -23400
            WHEN own_1_time.`at` >= CAST('1905-12-31 18:38:50' AS DATETIME)
            THEN -19800
            WHEN own_1_time.`at` >= CAST('1869-12-31 18:06:40' AS DATETIME)
            THEN -19270
            WHEN own_1_time.`at` >= CAST('1854-06-27 18:06:32' AS DATETIME)
            THEN -21200
            ELSE -21208
          END
        ) SECOND) AS DATE),
        CAST('0001-01-01' AS DATE)
      ) AS STRING)
    END AS own_1,
    u.own_1 AS own_1_written,
    own_2_number.value AS own_2,
    u.own_2 AS own_2_written,
    CASE
      WHEN LOWER(u.own_3) IN ('true', 't', '1', 'yes', 'y')
      THEN 'true'
      WHEN LOWER(u.own_3) IN ('false', 'f', '0', 'no', 'n')
      THEN 'false'
    END AS own_3,
    u.own_3 AS own_3_written
  FROM users_read AS u
  LEFT JOIN times
    ON u.created_at = times.written
  LEFT JOIN numbers AS age
    ON u.age = age.written
  LEFT JOIN times AS own_1_time
    ON u.own_1 = own_1_time.written
  LEFT JOIN numbers AS own_2_number
    ON u.own_2 = own_2_number.written
), signups AS (
  SELECT
    user_id,
    age,
    gender,
    country,
    traffic_source,
    created_at,
    own_1,
    own_2,
    own_3
  FROM users_checked
  WHERE
    reason IS NULL
    AND (
      CAST('2024-12-01 00:00:00' AS DATETIME) IS NULL
      OR created_at < CAST('2024-12-01 00:00:00' AS DATETIME)
    )
), items_known /* Each field is read from one of the two tables only; the column of the other is null. */ AS (
  SELECT
    i.item_id,
    i.order_id,
    COALESCE(i.brand, inventory.brand) AS brand,
    COALESCE(i.category, inventory.category) AS category,
    i.product_id,
    i.price,
    i.quantity,
    COALESCE(i.own_6, inventory.own_6) AS own_6,
    COALESCE(i.own_7, inventory.own_7) AS own_7
  FROM order_items_read AS i
  LEFT JOIN inventory
    ON i.inventory_item_id = inventory.inventory_item_id
  WHERE
    NOT i.order_id IS NULL
), items_checked AS (
  SELECT
    i.item_id,
    i.order_id,
    CASE WHEN BYTE_LENGTH(i.brand) <= 1024 THEN i.brand END AS brand,
    CASE WHEN BYTE_LENGTH(i.category) <= 1024 THEN i.category END AS category,
    CASE WHEN BYTE_LENGTH(i.product_id) <= 256 THEN i.product_id END AS product_id,
    price.value AS price,
    CASE WHEN quantity.whole BETWEEN 1 AND 9223372036854775807 THEN quantity.whole END AS quantity,
    i.price AS price_written,
    i.quantity AS quantity_written,
    CASE
      WHEN BYTE_LENGTH(i.brand) > 1024
      THEN 'an item\'s brand has more than 1,024 bytes'
      WHEN BYTE_LENGTH(i.category) > 1024
      THEN 'an item\'s category has more than 1,024 bytes'
      WHEN BYTE_LENGTH(i.product_id) > 256
      THEN 'an item\'s product_id has more than 256 bytes'
      WHEN NOT i.price IS NULL AND price.value IS NULL
      THEN 'an item\'s price is not a finite number'
      WHEN NOT i.quantity IS NULL
      AND COALESCE(NOT quantity.whole BETWEEN 1 AND 9223372036854775807, TRUE)
      THEN 'an item\'s quantity is not a whole number of at least 1'
      WHEN BYTE_LENGTH(i.own_6) > 1024
      THEN 'an item\'s material has more than 1,024 bytes'
      WHEN NOT i.own_7 IS NULL AND own_7_number.value IS NULL
      THEN 'an item\'s weight is not a finite number'
    END AS reason,
    CASE WHEN BYTE_LENGTH(i.own_6) <= 1024 THEN i.own_6 END AS own_6,
    i.own_6 AS own_6_written,
    CASE
      WHEN own_7_number.value BETWEEN -1000000000000 AND 1000000000000
      THEN CAST(CAST(FLOOR(own_7_number.value * 1000000 + 0.5) AS INT64) AS BIGNUMERIC)
    END AS own_7,
    i.own_7 AS own_7_written
  FROM items_known AS i
  LEFT JOIN numbers AS price
    ON i.price = price.written
  LEFT JOIN numbers AS quantity
    ON i.quantity = quantity.written
  LEFT JOIN numbers AS own_7_number
    ON i.own_7 = own_7_number.written
), baskets AS (
  SELECT
    order_id,
    COUNT(*) AS items,
    MIN(reason) AS reason
  FROM items_checked
  GROUP BY
    order_id
), orders_checked /* An order with one bad item is left out as a whole: half an order is not a fact. */ AS (
  SELECT
    o.order_id,
    o.user_id,
    CASE WHEN BYTE_LENGTH(o.status) <= 1024 THEN o.status END AS status,
    times.`at` AS created_at,
    o.created_at AS created_written,
    CASE
      WHEN o.order_id IS NULL
      THEN 'order_id is missing'
      WHEN BYTE_LENGTH(o.order_id) > 256
      THEN 'order_id has more than 256 bytes'
      WHEN o.user_id IS NULL
      THEN 'user_id is missing'
      WHEN BYTE_LENGTH(o.user_id) > 256
      THEN 'user_id has more than 256 bytes'
      WHEN o.created_at IS NULL
      THEN 'created_at is missing'
      WHEN times.`at` IS NULL
      THEN 'created_at is not a time'
      WHEN baskets.items IS NULL
      THEN 'the order has no items'
      WHEN baskets.items > 1000
      THEN 'the order has more than 1,000 items'
      WHEN NOT baskets.reason IS NULL
      THEN baskets.reason
      WHEN BYTE_LENGTH(o.status) > 1024
      THEN 'status has more than 1,024 bytes'
      WHEN BYTE_LENGTH(o.own_4) > 1024
      THEN 'shipping.country has more than 1,024 bytes'
      WHEN NOT o.own_5 IS NULL AND own_5_number.value IS NULL
      THEN 'shipping.days is not a finite number'
    END AS reason,
    CASE WHEN BYTE_LENGTH(o.own_4) <= 1024 THEN o.own_4 END AS own_4,
    o.own_4 AS own_4_written,
    CASE
      WHEN own_5_number.value BETWEEN -1000000000000 AND 1000000000000
      THEN CAST(CAST(FLOOR(own_5_number.value * 1000000 + 0.5) AS INT64) AS BIGNUMERIC)
    END AS own_5,
    o.own_5 AS own_5_written
  FROM orders_read AS o
  LEFT JOIN times
    ON o.created_at = times.written
  LEFT JOIN baskets
    ON o.order_id = baskets.order_id
  LEFT JOIN numbers AS own_5_number
    ON o.own_5 = own_5_number.written
), valid_orders /* If one order of a user has several rows, the newest row counts. At equal times the row with the larger */ /* event (as JSON text) counts: there a missing status is larger than any status, and a quote ends the status. */ AS (
  SELECT
    ranked.user_id,
    ranked.order_id,
    ranked.status,
    ranked.created_at,
    ranked.own_4,
    ranked.own_5
  FROM (
    SELECT
      user_id,
      order_id,
      status,
      created_at,
      ROW_NUMBER() OVER (
        PARTITION BY user_id, order_id
        ORDER BY created_at DESC, CASE WHEN own_4 IS NULL AND own_5 IS NULL THEN 1 ELSE 0 END DESC, CASE
          WHEN own_4 IS NULL
          THEN ''
          ELSE ',"order.shipping.country":' || '"' || REPLACE(REPLACE(own_4, '\\', '\\\\'), '"', '\\"') || '"'
        END || CASE
          WHEN own_5 IS NULL
          THEN ''
          ELSE ',"order.shipping.days":' || CAST(own_5 AS STRING)
        END || '}' DESC, CASE WHEN status IS NULL THEN 0 ELSE 1 END NULLS LAST, REPLACE(REPLACE(status, '\\', '\\\\'), '"', '\\"') || '"' DESC
      ) AS place,
      own_4,
      own_5
    FROM orders_checked
    WHERE
      reason IS NULL
      AND (
        CAST('2024-12-01 00:00:00' AS DATETIME) IS NULL
        OR created_at < CAST('2024-12-01 00:00:00' AS DATETIME)
      )
  ) AS ranked
  WHERE
    ranked.place = 1
), valid_items /* Where no feature reads items, an order has one row without an item. */ AS (
  SELECT
    o.user_id,
    o.order_id,
    o.status,
    o.created_at,
    i.order_id AS item_of,
    i.item_id,
    i.brand,
    i.category,
    i.product_id,
    i.price,
    i.quantity,
    o.own_4,
    o.own_5,
    i.own_6,
    i.own_7
  FROM valid_orders AS o
  LEFT JOIN items_checked AS i
    ON o.order_id = i.order_id
), everyone AS (
  SELECT
    user_id
  FROM signups
  UNION DISTINCT
  SELECT
    user_id
  FROM valid_orders
), profiles /* 6. Features. If a user has several rows, the newest row with a value counts, for each field; at equal times */ /* the larger value counts. */ AS (
  SELECT DISTINCT
    user_id,
    FIRST_VALUE(age) OVER (
      PARTITION BY user_id
      ORDER BY CASE WHEN age IS NULL THEN 1 ELSE 0 END NULLS LAST, created_at DESC, age DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS age,
    FIRST_VALUE(gender) OVER (
      PARTITION BY user_id
      ORDER BY CASE WHEN gender IS NULL THEN 1 ELSE 0 END NULLS LAST, created_at DESC, gender DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS gender,
    FIRST_VALUE(country) OVER (
      PARTITION BY user_id
      ORDER BY CASE WHEN country IS NULL THEN 1 ELSE 0 END NULLS LAST, created_at DESC, country DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS country,
    FIRST_VALUE(traffic_source) OVER (
      PARTITION BY user_id
      ORDER BY CASE WHEN traffic_source IS NULL THEN 1 ELSE 0 END NULLS LAST, created_at DESC, traffic_source DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS traffic_source,
    FIRST_VALUE(own_1) OVER (
      PARTITION BY user_id
      ORDER BY CASE WHEN own_1 IS NULL THEN 1 ELSE 0 END NULLS LAST, created_at DESC, own_1 DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS own_1,
    FIRST_VALUE(own_2) OVER (
      PARTITION BY user_id
      ORDER BY CASE WHEN own_2 IS NULL THEN 1 ELSE 0 END NULLS LAST, created_at DESC, own_2 DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS own_2,
    FIRST_VALUE(own_3) OVER (
      PARTITION BY user_id
      ORDER BY CASE WHEN own_3 IS NULL THEN 1 ELSE 0 END NULLS LAST, created_at DESC, own_3 DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS own_3
  FROM signups
), counted_orders /* Features come only from counted orders. */ AS (
  SELECT
    user_id,
    order_id,
    created_at,
    status,
    own_4,
    own_5
  FROM valid_orders
  WHERE
    NOT COALESCE(status IN ('Cancelled', 'O\'Hara \\ Sons'), FALSE)
), counted_items /* An amount is a whole number of millionths, because a sum of doubles depends on the order of its rows. An */ /* item with a price above 10^12, or with more than 10^6 pieces, adds no amount, so that no sum can overflow. */ AS (
  SELECT
    user_id,
    order_id,
    created_at,
    brand,
    category,
    product_id,
    COALESCE(quantity, 1) AS pieces,
    CASE
      WHEN COALESCE(quantity, 1) <= 1000000
      AND price BETWEEN -1000000000000 AND 1000000000000
      THEN CAST(CAST(FLOOR(price * 1000000 + 0.5) AS INT64) AS BIGNUMERIC)
    END AS price,
    own_6,
    own_7
  FROM valid_items
  WHERE
    NOT COALESCE(status IN ('Cancelled', 'O\'Hara \\ Sons'), FALSE)
), order_id_values /* The sources of features: for each source its values, their order and their weights. Prices, quantities and */ /* order values are in millionths. */ AS (
  SELECT
    user_id,
    order_id,
    created_at,
    order_id AS value,
    1 AS weight
  FROM counted_orders
), status_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    status AS value,
    1 AS weight
  FROM counted_orders
  WHERE
    NOT status IS NULL
), brand_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    brand AS value,
    pieces AS weight
  FROM counted_items
  WHERE
    NOT brand IS NULL
), category_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    category AS value,
    pieces AS weight
  FROM counted_items
  WHERE
    NOT category IS NULL
), product_id_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    product_id AS value,
    pieces AS weight
  FROM counted_items
  WHERE
    NOT product_id IS NULL
), price_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    price AS value,
    CAST(pieces AS INT64) AS weight
  FROM counted_items
  WHERE
    NOT price IS NULL
), quantity_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    CAST(CAST(pieces AS INT64) AS BIGNUMERIC) * 1000000 AS value,
    1 AS weight
  FROM counted_items
  WHERE
    pieces <= 1000000
), order_value_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    SUM(value * weight) AS value,
    1 AS weight
  FROM price_values
  GROUP BY
    user_id,
    order_id,
    created_at
), own_4_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    own_4 AS value,
    1 AS weight
  FROM counted_orders
  WHERE
    NOT own_4 IS NULL
), own_5_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    own_5 AS value,
    1 AS weight
  FROM counted_orders
  WHERE
    NOT own_5 IS NULL
), own_6_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    own_6 AS value,
    pieces AS weight
  FROM counted_items
  WHERE
    NOT own_6 IS NULL
), own_7_values AS (
  SELECT
    user_id,
    order_id,
    created_at,
    own_7 AS value,
    CAST(pieces AS INT64) AS weight
  FROM counted_items
  WHERE
    NOT own_7 IS NULL AND pieces <= 1000000
), count_order_id AS (
  /* The number of counted orders. */
  SELECT
    user_id,
    COUNT(*) AS value
  FROM order_id_values
  GROUP BY
    user_id
), most_frequent_brand AS (
  /* The value with the most items; if equal, the value that was bought first; if still equal, the value with */
  /* the smallest MD5, which does not prefer any letters. */
  SELECT
    ranked.user_id,
    ranked.value
  FROM (
    SELECT
      user_id,
      value,
      ROW_NUMBER() OVER (
        PARTITION BY user_id
        ORDER BY SUM(weight) DESC, MIN(created_at) NULLS LAST, TO_HEX(MD5(user_id || ':' || value)) NULLS LAST
      ) AS place
    FROM brand_values
    GROUP BY
      user_id,
      value
  ) AS ranked
  WHERE
    ranked.place = 1
), most_frequent_category AS (
  /* The value with the most items; if equal, the value that was bought first; if still equal, the value with */
  /* the smallest MD5, which does not prefer any letters. */
  SELECT
    ranked.user_id,
    ranked.value
  FROM (
    SELECT
      user_id,
      value,
      ROW_NUMBER() OVER (
        PARTITION BY user_id
        ORDER BY SUM(weight) DESC, MIN(created_at) NULLS LAST, TO_HEX(MD5(user_id || ':' || value)) NULLS LAST
      ) AS place
    FROM category_values
    GROUP BY
      user_id,
      value
  ) AS ranked
  WHERE
    ranked.place = 1
), distinct_product_id AS (
  /* The number of different values. */
  SELECT
    user_id,
    COUNT(DISTINCT value) AS value
  FROM product_id_values
  GROUP BY
    user_id
), last_status AS (
  /* The value with the most items in the newest order that has a value; if equal, the value with the smallest */
  /* MD5. */
  SELECT
    ranked.user_id,
    ranked.value
  FROM (
    SELECT
      user_id,
      value,
      ROW_NUMBER() OVER (
        PARTITION BY user_id
        ORDER BY created_at DESC, order_id DESC, SUM(weight) DESC, TO_HEX(MD5(user_id || ':' || value)) NULLS LAST
      ) AS place
    FROM status_values
    GROUP BY
      user_id,
      order_id,
      created_at,
      value
  ) AS ranked
  WHERE
    ranked.place = 1
), last_price AS (
  /* The largest number in the newest order that has a number. */
  SELECT
    ranked.user_id,
    CAST(CAST(ranked.value AS STRING) AS FLOAT64) / 1000000 AS value
  FROM (
    SELECT
      user_id,
      value,
      ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY created_at DESC, order_id DESC, value DESC) AS place
    FROM price_values
  ) AS ranked
  WHERE
    ranked.place = 1
), sum_quantity AS (
  /* The sum. */
  /* The cast through text turns a whole number into the nearest double. */
  SELECT
    user_id,
    CAST(CAST(SUM(value * weight) AS STRING) AS FLOAT64) / 1000000 AS value
  FROM quantity_values
  GROUP BY
    user_id
), mean_order_value AS (
  /* The mean. */
  /* The cast through text turns a whole number into the nearest double. */
  SELECT
    user_id,
    CAST(CAST(SUM(value * weight) AS STRING) AS FLOAT64) / 1000000 / CAST(CAST(SUM(weight) AS STRING) AS FLOAT64) AS value
  FROM order_value_values
  GROUP BY
    user_id
), min_order_value AS (
  /* The smallest value. */
  /* The cast through text turns a whole number into the nearest double. */
  SELECT
    user_id,
    CAST(CAST(MIN(value) AS STRING) AS FLOAT64) / 1000000 AS value
  FROM order_value_values
  GROUP BY
    user_id
), max_order_value AS (
  /* The largest value. */
  /* The cast through text turns a whole number into the nearest double. */
  SELECT
    user_id,
    CAST(CAST(MAX(value) AS STRING) AS FLOAT64) / 1000000 AS value
  FROM order_value_values
  GROUP BY
    user_id
), interval_order_id AS (
  /* The mean number of days between two orders in a row: from the first to the last, divided by the orders less */
  /* one. Null below two orders. */
  /* The casts through text turn a whole number into the nearest double. */
  SELECT
    user_id,
    CAST(CAST(DATETIME_DIFF(MAX(created_at), MIN(created_at), MICROSECOND) AS STRING) AS FLOAT64) / CAST(CAST(COUNT(*) - 1 AS STRING) AS FLOAT64) / 86400000000 AS value
  FROM order_id_values
  GROUP BY
    user_id
  HAVING
    COUNT(*) > 1
), last_own_4 AS (
  /* The value with the most items in the newest order that has a value; if equal, the value with the smallest */
  /* MD5. */
  SELECT
    ranked.user_id,
    ranked.value
  FROM (
    SELECT
      user_id,
      value,
      ROW_NUMBER() OVER (
        PARTITION BY user_id
        ORDER BY created_at DESC, order_id DESC, SUM(weight) DESC, TO_HEX(MD5(user_id || ':' || value)) NULLS LAST
      ) AS place
    FROM own_4_values
    GROUP BY
      user_id,
      order_id,
      created_at,
      value
  ) AS ranked
  WHERE
    ranked.place = 1
), mean_own_5 AS (
  /* The mean. */
  /* The cast through text turns a whole number into the nearest double. */
  SELECT
    user_id,
    CAST(CAST(SUM(value * weight) AS STRING) AS FLOAT64) / 1000000 / CAST(CAST(SUM(weight) AS STRING) AS FLOAT64) AS value
  FROM own_5_values
  GROUP BY
    user_id
), distinct_own_6 AS (
  /* The number of different values. */
  SELECT
    user_id,
    COUNT(DISTINCT value) AS value
  FROM own_6_values
  GROUP BY
    user_id
), sum_own_7 AS (
  /* The sum. */
  /* The cast through text turns a whole number into the nearest double. */
  SELECT
    user_id,
    CAST(CAST(SUM(value * weight) AS STRING) AS FLOAT64) / 1000000 AS value
  FROM own_7_values
  GROUP BY
    user_id
), order_value_values_90d AS (
  SELECT
    *
  FROM (
    SELECT
      *,
      GREATEST(
        CAST(SAFE.DATETIME_SUB(created_at, INTERVAL (
          -19800
        ) SECOND) AS DATE),
        CAST('0001-01-01' AS DATE)
      ) AS on_day
    FROM order_value_values
  ) AS dated
  WHERE
    on_day <= CAST('2024-11-30' AS DATE) AND on_day >= CAST('2024-09-02' AS DATE)
), sum_order_value_90d AS (
  /* The sum. */
  /* The cast through text turns a whole number into the nearest double. */
  SELECT
    user_id,
    CAST(CAST(SUM(value * weight) AS STRING) AS FLOAT64) / 1000000 AS value
  FROM order_value_values_90d
  GROUP BY
    user_id
), own_6_values_30d AS (
  SELECT
    *
  FROM (
    SELECT
      *,
      GREATEST(
        CAST(SAFE.DATETIME_SUB(created_at, INTERVAL (
          -19800
        ) SECOND) AS DATE),
        CAST('0001-01-01' AS DATE)
      ) AS on_day
    FROM own_6_values
  ) AS dated
  WHERE
    on_day <= CAST('2024-11-30' AS DATE) AND on_day >= CAST('2024-11-01' AS DATE)
), distinct_own_6_30d AS (
  /* The number of different values. */
  SELECT
    user_id,
    COUNT(DISTINCT value) AS value
  FROM own_6_values_30d
  GROUP BY
    user_id
), days_since_last_order AS (
  /* Whole days from the last date that is not after the day, to the day. */
  /* Parameters: day; local_day, the date of created_at in the time zone. */
  SELECT
    dated.user_id,
    DATE_DIFF(CAST('2024-11-30' AS DATE), MAX(dated.on_day), DAY) AS value
  FROM (
    SELECT
      user_id,
      GREATEST(
        CAST(SAFE.DATETIME_SUB(created_at, INTERVAL (
          CASE
            WHEN created_at >= CAST('1945-10-14 17:30:00' AS DATETIME)
            THEN -19800
            WHEN created_at >= CAST('1942-08-31 18:30:00' AS DATETIME)
            THEN -23400
            WHEN created_at >= CAST('1942-05-14 17:30:00' AS DATETIME)
            THEN -19800
            WHEN created_at >= CAST('1941-09-30 18:30:00' AS DATETIME)
            THEN -23400
            WHEN created_at >= CAST('1905-12-31 18:38:50' AS DATETIME)
            THEN -19800
            WHEN created_at >= CAST('1869-12-31 18:06:40' AS DATETIME)
            THEN -19270
            WHEN created_at >= CAST('1854-06-27 18:06:32' AS DATETIME)
            THEN -21200
            ELSE -21208
          END
        ) SECOND) AS DATE),
        CAST('0001-01-01' AS DATE)
      ) AS on_day
    FROM counted_orders
  ) AS dated
  WHERE
    dated.on_day <= CAST('2024-11-30' AS DATE)
  GROUP BY
    dated.user_id
), days_since_signup AS (
  /* Whole days from the first date that is not after the day, to the day. */
  /* Parameters: day; local_day, the date of created_at in the time zone. */
  SELECT
    dated.user_id,
    DATE_DIFF(CAST('2024-11-30' AS DATE), MIN(dated.on_day), DAY) AS value
  FROM (
    SELECT
      user_id,
      GREATEST(
        CAST(SAFE.DATETIME_SUB(created_at, INTERVAL (
          CASE
            WHEN created_at >= CAST('1945-10-14 17:30:00' AS DATETIME)
            THEN -19800
            WHEN created_at >= CAST('1942-08-31 18:30:00' AS DATETIME)
            THEN -23400
            WHEN created_at >= CAST('1942-05-14 17:30:00' AS DATETIME)
            THEN -19800
            WHEN created_at >= CAST('1941-09-30 18:30:00' AS DATETIME)
            THEN -23400
            WHEN created_at >= CAST('1905-12-31 18:38:50' AS DATETIME)
            THEN -19800
            WHEN created_at >= CAST('1869-12-31 18:06:40' AS DATETIME)
            THEN -19270
            WHEN created_at >= CAST('1854-06-27 18:06:32' AS DATETIME)
            THEN -21200
            ELSE -21208
          END
        ) SECOND) AS DATE),
        CAST('0001-01-01' AS DATE)
      ) AS on_day
    FROM signups
  ) AS dated
  WHERE
    dated.on_day <= CAST('2024-11-30' AS DATE)
  GROUP BY
    dated.user_id
)
/* For each declared feature, a step of its kind (kinds/ *.sql, over the values of its source), a join and a */
/* column are added here. */
SELECT
  everyone.user_id,
  profiles.age AS `age`,
  profiles.gender AS `gender`,
  profiles.country AS `country`,
  profiles.traffic_source AS `traffic_source`,
  count_order_id.value AS `total_orders`,
  most_frequent_brand.value AS `most_frequent_brand`,
  most_frequent_category.value AS `most_frequent_category`,
  distinct_product_id.value AS `distinct_products`,
  last_status.value AS `last_status`,
  last_price.value AS `last_price`,
  sum_quantity.value AS `total_pieces`,
  mean_order_value.value AS `average_order_value`,
  min_order_value.value AS `smallest_order`,
  max_order_value.value AS `largest_order`,
  interval_order_id.value AS `days_between`,
  profiles.own_2 AS `income`,
  CASE profiles.own_3
    WHEN 'true'
    THEN CAST(1 AS FLOAT64)
    WHEN 'false'
    THEN CAST(0 AS FLOAT64)
  END AS `member`,
  last_own_4.value AS `ship_to`,
  mean_own_5.value AS `delivery_days`,
  distinct_own_6.value AS `materials`,
  sum_own_7.value AS `weight`,
  sum_order_value_90d.value AS `spend_90d`,
  distinct_own_6_30d.value AS `materials_30d`,
  days_since_last_order.value AS `days_since_order`,
  days_since_signup.value AS `days_since_signup`,
  CASE
    WHEN CAST(profiles.own_1 AS DATE) <= CAST('2024-11-30' AS DATE)
    THEN DATE_DIFF(CAST('2024-11-30' AS DATE), CAST(profiles.own_1 AS DATE), DAY)
  END AS `days_since_birth`
FROM everyone
LEFT JOIN profiles
  ON everyone.user_id = profiles.user_id
LEFT JOIN count_order_id
  ON everyone.user_id = count_order_id.user_id
LEFT JOIN most_frequent_brand
  ON everyone.user_id = most_frequent_brand.user_id
LEFT JOIN most_frequent_category
  ON everyone.user_id = most_frequent_category.user_id
LEFT JOIN distinct_product_id
  ON everyone.user_id = distinct_product_id.user_id
LEFT JOIN last_status
  ON everyone.user_id = last_status.user_id
LEFT JOIN last_price
  ON everyone.user_id = last_price.user_id
LEFT JOIN sum_quantity
  ON everyone.user_id = sum_quantity.user_id
LEFT JOIN mean_order_value
  ON everyone.user_id = mean_order_value.user_id
LEFT JOIN min_order_value
  ON everyone.user_id = min_order_value.user_id
LEFT JOIN max_order_value
  ON everyone.user_id = max_order_value.user_id
LEFT JOIN interval_order_id
  ON everyone.user_id = interval_order_id.user_id
LEFT JOIN last_own_4
  ON everyone.user_id = last_own_4.user_id
LEFT JOIN mean_own_5
  ON everyone.user_id = mean_own_5.user_id
LEFT JOIN distinct_own_6
  ON everyone.user_id = distinct_own_6.user_id
LEFT JOIN sum_own_7
  ON everyone.user_id = sum_own_7.user_id
LEFT JOIN sum_order_value_90d
  ON everyone.user_id = sum_order_value_90d.user_id
LEFT JOIN distinct_own_6_30d
  ON everyone.user_id = distinct_own_6_30d.user_id
LEFT JOIN days_since_last_order
  ON everyone.user_id = days_since_last_order.user_id
LEFT JOIN days_since_signup
  ON everyone.user_id = days_since_signup.user_id
WHERE
  everyone.user_id IN (
    /* The users who train: those with a counted order at or after `start` and before `end` (null: no bound). The */
    /* feature query uses this as a condition. This select reads the steps of the feature query. */
    SELECT
      user_id
    FROM counted_orders
    WHERE
      (
        CAST('2024-01-01 00:00:00' AS DATETIME) IS NULL
        OR created_at >= CAST('2024-01-01 00:00:00' AS DATETIME)
      )
      AND (
        CAST('2024-12-01 00:00:00' AS DATETIME) IS NULL
        OR created_at < CAST('2024-12-01 00:00:00' AS DATETIME)
      )
  )
ORDER BY
  everyone.user_id NULLS LAST
