-- The numbers of users and facts, and the times of the first and last fact. The steps before this select are
-- those of user_features.sql.
select
  (select count(*) from everyone) as users,
  (select count(*) from signups) as signups,
  (select count(*) from valid_orders) as orders,
  (select count(item_of) from valid_items) as items,
  (
    select min(at)
    from (
      select min(created_at) as at from signups
      union all
      select min(created_at) as at from valid_orders
    ) as firsts
  ) as first_at,
  (
    select max(at)
    from (
      select max(created_at) as at from signups
      union all
      select max(created_at) as at from valid_orders
    ) as lasts
  ) as last_at
