/* The facts as events: one row for each signup, and one row for each item of an order. The steps before this */
/* select are those of user_features.sql. Parameter: since, only facts at or after this time (null: all */
/* facts). */
SELECT
  0 AS is_order,
  user_id,
  created_at AS `at`,
  age,
  gender,
  country,
  traffic_source,
  CAST(NULL AS STRING) AS order_id,
  CAST(NULL AS STRING) AS status,
  CAST(NULL AS STRING) AS item_id,
  CAST(NULL AS STRING) AS brand,
  CAST(NULL AS STRING) AS category,
  CAST(NULL AS STRING) AS product_id,
  CAST(NULL AS FLOAT64) AS price,
  CAST(NULL AS INT64) AS quantity,
  own_1,
  own_2,
  own_3,
  CAST(NULL AS STRING) AS own_4,
  CAST(NULL AS INT64) AS own_5,
  CAST(NULL AS STRING) AS own_6,
  CAST(NULL AS INT64) AS own_7
FROM signups
WHERE
  CAST('2024-01-01 00:00:00' AS DATETIME) IS NULL
  OR created_at >= CAST('2024-01-01 00:00:00' AS DATETIME)
UNION ALL
SELECT
  1 AS is_order,
  user_id,
  created_at AS `at`,
  CAST(NULL AS FLOAT64) AS age,
  CAST(NULL AS STRING) AS gender,
  CAST(NULL AS STRING) AS country,
  CAST(NULL AS STRING) AS traffic_source,
  order_id,
  status,
  item_id,
  brand,
  category,
  product_id,
  price,
  CAST(quantity AS INT64) AS quantity,
  CAST(NULL AS STRING) AS own_1,
  CAST(NULL AS FLOAT64) AS own_2,
  CAST(NULL AS STRING) AS own_3,
  own_4,
  CAST(own_5 AS INT64) AS own_5,
  own_6,
  CAST(own_7 AS INT64) AS own_7
FROM valid_items
WHERE
  CAST('2024-01-01 00:00:00' AS DATETIME) IS NULL
  OR created_at >= CAST('2024-01-01 00:00:00' AS DATETIME)
ORDER BY
  user_id NULLS LAST,
  `at` NULLS LAST,
  is_order NULLS LAST,
  order_id NULLS LAST,
  item_id NULLS LAST,
  brand NULLS LAST,
  category NULLS LAST,
  product_id NULLS LAST,
  price NULLS LAST,
  quantity NULLS LAST,
  age NULLS LAST,
  gender NULLS LAST,
  country NULLS LAST,
  traffic_source NULLS LAST,
  own_1 NULLS LAST,
  own_2 NULLS LAST,
  own_3 NULLS LAST,
  own_4 NULLS LAST,
  own_5 NULLS LAST,
  own_6 NULLS LAST,
  own_7 NULLS LAST
