select capture('accounts', 'account_id', '{user_id, parent_account_id}');
select capture('balances', 'balance_id', '{account_id}');
select capture('orders', 'order_id', '{account_id, symbol}');
select capture('trades', 'trade_id', '{account_id, symbol, order_id}');
