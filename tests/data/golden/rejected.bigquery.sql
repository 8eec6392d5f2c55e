/* The rows left out, each with its table, id and reason; `total` counts its table and reason. The steps */
/* before this select are those of user_features.sql. Parameter: examples, the most rows of one table */
/* and reason that are listed. */
SELECT
  listed.table_name,
  listed.row_id,
  listed.reason,
  listed.total
FROM (
  SELECT
    bad.table_name,
    SUBSTRING(bad.row_id, 1, 256) AS row_id,
    bad.reason,
    COUNT(*) OVER (PARTITION BY bad.table_name, bad.reason) AS total,
    ROW_NUMBER() OVER (PARTITION BY bad.table_name, bad.reason ORDER BY bad.row_id) AS place
  FROM (
    SELECT
      'users' AS table_name,
      user_id AS row_id,
      reason
    FROM users_checked
    WHERE
      NOT reason IS NULL
      AND (
        CAST('2024-12-01 00:00:00' AS DATETIME) IS NULL
        OR created_at IS NULL
        OR created_at < CAST('2024-12-01 00:00:00' AS DATETIME)
      )
    UNION ALL
    SELECT
      'orders' AS table_name,
      order_id AS row_id,
      reason
    FROM orders_checked
    WHERE
      NOT reason IS NULL
      AND (
        CAST('2024-12-01 00:00:00' AS DATETIME) IS NULL
        OR created_at IS NULL
        OR created_at < CAST('2024-12-01 00:00:00' AS DATETIME)
      )
    UNION ALL
    SELECT
      'order_items' AS table_name,
      COALESCE(i.item_id, i.order_id) AS row_id,
      'no order has its order_id' AS reason
    FROM order_items_read AS i
    LEFT JOIN (
      SELECT DISTINCT
        order_id
      FROM orders_read
    ) AS o
      ON i.order_id = o.order_id
    WHERE
      o.order_id IS NULL
  ) AS bad
) AS listed
WHERE
  listed.place <= 100
ORDER BY
  listed.table_name NULLS LAST,
  listed.reason NULLS LAST,
  listed.place NULLS LAST
