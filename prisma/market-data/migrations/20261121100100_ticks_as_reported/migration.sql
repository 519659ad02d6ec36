-- A tick is what its source said. Which prices were bent is known to price_manipulations alone: whoever looks at prices
-- must not be able to tell.
drop view price_feed_list;
alter table price_feeds drop column is_manipulated;
create view price_feed_list as
  select price_feeds.*, lpad(sequence::text, 19, '0') || ' ' || symbol || ' ' || source as position from price_feeds;
