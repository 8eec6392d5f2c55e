/* The orders one by one: one row for each counted order at or after `since`. The steps before this select are */
/* those of user_features.sql. Parameters: since; cents, the sum of cents.sql. */
SELECT
  user_id,
  order_id,
  MIN(created_at) AS at,
  CAST(SUM(
    CASE
      WHEN price BETWEEN -1000000000 AND 1000000000 AND COALESCE(quantity, 1) <= 1000000
      THEN CAST(FLOOR(price * 100 + 0.5) AS BIGINT) * CAST(COALESCE(quantity, 1) AS BIGINT)
    END
  ) AS DOUBLE) AS cents
FROM valid_items
WHERE
  created_at >= CAST('2024-09-02 00:00:00' AS TIMESTAMPNTZ)
  AND NOT COALESCE(status IN ('Cancelled', 'O\'Hara \\ Sons'), FALSE)
GROUP BY
  user_id,
  order_id
ORDER BY
  user_id,
  order_id
