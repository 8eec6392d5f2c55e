-- What a group of items costs, in cents: `$cents` in followup.sql and bought.sql. It is a whole number, so it
-- does not depend on the order of the rows. Amounts that no shop has are left out. It is null if no item has
-- a price.
select
  cast(
    sum(
      case
        when price between -1000000000 and 1000000000 and coalesce(quantity, 1) <= 1000000
          then cast(floor(price * 100 + 0.5) as bigint) * cast(coalesce(quantity, 1) as bigint)
      end
    )
    as double
  ) as cents
from valid_items
