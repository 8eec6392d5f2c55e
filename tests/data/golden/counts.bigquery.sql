/* The numbers of users and facts, and the times of the first and last fact. The steps before this select are */
/* those of user_features.sql. */
SELECT
  (
    SELECT
      COUNT(*)
    FROM everyone
  ) AS users,
  (
    SELECT
      COUNT(*)
    FROM signups
  ) AS signups,
  (
    SELECT
      COUNT(*)
    FROM valid_orders
  ) AS orders,
  (
    SELECT
      COUNT(item_of)
    FROM valid_items
  ) AS items,
  (
    SELECT
      MIN(`at`)
    FROM (
      SELECT
        MIN(created_at) AS `at`
      FROM signups
      UNION ALL
      SELECT
        MIN(created_at) AS `at`
      FROM valid_orders
    ) AS firsts
  ) AS first_at,
  (
    SELECT
      MAX(`at`)
    FROM (
      SELECT
        MAX(created_at) AS `at`
      FROM signups
      UNION ALL
      SELECT
        MAX(created_at) AS `at`
      FROM valid_orders
    ) AS lasts
  ) AS last_at
