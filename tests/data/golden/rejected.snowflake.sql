/* The rows left out, each with its table, id, reason and wrong value (null if it is missing or too long). */
/* `total` is the number of rows with the same table and reason. The steps before this select are those of */
/* user_features.sql. Parameter: examples, the maximum number of rows listed for one table and reason. */
SELECT
  listed.table_name,
  listed.row_id,
  listed.reason,
  listed.wrong,
  listed.total
FROM (
  SELECT
    bad.table_name,
    SUBSTRING(bad.row_id, 1, 256) AS row_id,
    bad.reason,
    SUBSTRING(bad.wrong, 1, 256) AS wrong,
    COUNT(*) OVER (PARTITION BY bad.table_name, bad.reason) AS total,
    ROW_NUMBER() OVER (
      PARTITION BY bad.table_name, bad.reason
      ORDER BY bad.row_id NULLS FIRST, bad.wrong NULLS FIRST
    ) AS place
  FROM (
    SELECT
      'users' AS table_name,
      user_id AS row_id,
      reason,
      CASE
        WHEN reason LIKE 'age %'
        THEN age_written
        WHEN reason LIKE 'created_at is %'
        THEN created_written
        WHEN reason = 'born is neither a date nor a time'
        THEN own_1_written
        WHEN reason = 'income is not a finite number'
        THEN own_2_written
        WHEN reason = 'member is neither true nor false'
        THEN own_3_written
      END AS wrong
    FROM users_checked
    WHERE
      NOT reason IS NULL
      AND (
        CAST('2024-12-01 00:00:00' AS TIMESTAMPNTZ) IS NULL
        OR created_at IS NULL
        OR created_at < CAST('2024-12-01 00:00:00' AS TIMESTAMPNTZ)
      )
    UNION ALL
    SELECT
      'orders' AS table_name,
      o.order_id AS row_id,
      o.reason,
      CASE
        WHEN o.reason LIKE 'created_at is %'
        THEN o.created_written
        WHEN o.reason = 'shipping.days is not a finite number'
        THEN o.own_5_written
        ELSE item.wrong
      END AS wrong
    FROM orders_checked AS o
    LEFT JOIN (
      SELECT
        order_id,
        reason,
        MIN(
          CASE
            WHEN reason LIKE 'an item\'s price is%'
            THEN price_written
            WHEN reason LIKE 'an item\'s quantity is%'
            THEN quantity_written
            WHEN reason = 'an item\'s weight is not a finite number'
            THEN own_7_written
          END
        ) AS wrong
      FROM items_checked
      WHERE
        NOT reason IS NULL
      GROUP BY
        order_id,
        reason
    ) AS item
      ON o.order_id = item.order_id AND o.reason = item.reason
    WHERE
      NOT o.reason IS NULL
      AND (
        CAST('2024-12-01 00:00:00' AS TIMESTAMPNTZ) IS NULL
        OR o.created_at IS NULL
        OR o.created_at < CAST('2024-12-01 00:00:00' AS TIMESTAMPNTZ)
      )
    UNION ALL
    SELECT
      'order_items' AS table_name,
      COALESCE(i.item_id, i.order_id) AS row_id,
      'no order has its order_id' AS reason,
      i.order_id AS wrong
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
  listed.table_name,
  listed.reason,
  listed.place
