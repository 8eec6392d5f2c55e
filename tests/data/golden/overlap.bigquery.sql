/* The ids that should match: for each side the number of ids and the first few. The sides are users with a */
/* profile, users with an order, users with both; items sold, items known, items sold and known. The steps */
/* before this select are those of user_features.sql. Parameter: examples, the maximum number of ids listed */
/* for a side. */
SELECT
  listed.side,
  listed.id,
  listed.total
FROM (
  SELECT
    sides.side,
    SUBSTRING(sides.id, 1, 256) AS id,
    COUNT(*) OVER (PARTITION BY sides.side) AS total,
    ROW_NUMBER() OVER (PARTITION BY sides.side ORDER BY sides.id NULLS LAST) AS place
  FROM (
    SELECT DISTINCT
      'profile' AS side,
      user_id AS id
    FROM signups
    UNION ALL
    SELECT DISTINCT
      'order' AS side,
      user_id AS id
    FROM valid_orders
    UNION ALL
    SELECT DISTINCT
      'both' AS side,
      s.user_id AS id
    FROM signups AS s
    INNER JOIN valid_orders AS o
      ON s.user_id = o.user_id
    UNION ALL
    SELECT DISTINCT
      'sold' AS side,
      inventory_item_id AS id
    FROM order_items_read
    WHERE
      NOT inventory_item_id IS NULL
    UNION ALL
    SELECT
      'known' AS side,
      inventory_item_id AS id
    FROM inventory
    UNION ALL
    SELECT DISTINCT
      'sold and known' AS side,
      i.inventory_item_id AS id
    FROM order_items_read AS i
    INNER JOIN inventory
      ON i.inventory_item_id = inventory.inventory_item_id
  ) AS sides
) AS listed
WHERE
  listed.place <= 3
ORDER BY
  listed.side NULLS LAST,
  listed.place NULLS LAST
