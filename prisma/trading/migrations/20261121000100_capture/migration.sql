select capture('strategies', 'strategy_id', '{account_id}');
select capture('orders', 'order_id', '{account_id, strategy_id}');
select capture('trades', 'trade_id', '{account_id, strategy_id, order_id}');
select capture('positions', 'position_id', '{account_id, strategy_id, instrument_id}');
