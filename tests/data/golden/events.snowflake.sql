/* The facts as events: one row for each signup, and one row for each item of an order. The steps before this */
/* select are those of user_features.sql. Parameter: since, only facts at or after this time (null: all */
/* facts). */
SELECT
  0 AS is_order,
  user_id,
  created_at AS at,
  age,
  gender,
  country,
  traffic_source,
  CAST(NULL AS VARCHAR) AS order_id,
  CAST(NULL AS VARCHAR) AS status,
  CAST(NULL AS VARCHAR) AS item_id,
  CAST(NULL AS VARCHAR) AS brand,
  CAST(NULL AS VARCHAR) AS category,
  CAST(NULL AS VARCHAR) AS product_id,
  CAST(NULL AS DOUBLE) AS price,
  CAST(NULL AS BIGINT) AS quantity,
  own_1,
  own_2,
  own_3,
  CAST(NULL AS VARCHAR) AS own_4,
  CAST(NULL AS BIGINT) AS own_5,
  CAST(NULL AS VARCHAR) AS own_6,
  CAST(NULL AS BIGINT) AS own_7
FROM signups
WHERE
  CAST('2024-01-01 00:00:00' AS TIMESTAMPNTZ) IS NULL
  OR created_at >= CAST('2024-01-01 00:00:00' AS TIMESTAMPNTZ)
UNION ALL
SELECT
  1 AS is_order,
  user_id,
  created_at AS at,
  CAST(NULL AS DOUBLE) AS age,
  CAST(NULL AS VARCHAR) AS gender,
  CAST(NULL AS VARCHAR) AS country,
  CAST(NULL AS VARCHAR) AS traffic_source,
  order_id,
  status,
  item_id,
  brand,
  category,
  product_id,
  price,
  CAST(quantity AS BIGINT) AS quantity,
  CAST(NULL AS VARCHAR) AS own_1,
  CAST(NULL AS DOUBLE) AS own_2,
  CAST(NULL AS VARCHAR) AS own_3,
  own_4,
  CAST(own_5 AS BIGINT) AS own_5,
  own_6,
  CAST(own_7 AS BIGINT) AS own_7
FROM valid_items
WHERE
  CAST('2024-01-01 00:00:00' AS TIMESTAMPNTZ) IS NULL
  OR created_at >= CAST('2024-01-01 00:00:00' AS TIMESTAMPNTZ)
ORDER BY
  user_id,
  at,
  is_order,
  order_id,
  item_id,
  brand,
  category,
  product_id,
  price,
  quantity,
  age,
  gender,
  country,
  traffic_source,
  own_1,
  own_2,
  own_3,
  own_4,
  own_5,
  own_6,
  own_7
