/** Books of trading and bars of market data with what is hard to write down: for tests that carry them elsewhere. */
import type pg from 'pg';

/** Texts that formats, spreadsheets and readers stumble over. */
export const HARD_TEXTS = [
  '',
  '=1+1',
  '+1',
  '-1',
  '@sum',
  "'quoted",
  '"',
  'a,b',
  'line\r\nbreak',
  '\ttab',
  ' blank ',
  'é😀',
  'null',
];

/**
 * Fills an empty trading schema: a strategy, an order and a trade for each hard text, two positions and two managed trades;
 * the last two orders with their trades and the closed position are archived.
 */
export async function fillTrading(client: pg.ClientBase): Promise<void> {
  await client.query(
    `insert into strategies (strategy_id, name, strategy_type, account_id, instruments, venue_ids, parameters, max_leverage,
                             realized_pnl, error_message, created_at, updated_at, version)
     select 's' || n, coalesce(nullif(text, ''), 'x'), 'custom', '00000000-0000-4000-8000-000000000001',
            '{BTC-USD,ETH-USD}', case when n % 2 = 0 then array[coalesce(nullif(text, ''), 'v')] else '{}' end,
            jsonb_build_object('text', text, 'rate', 0.1), 2.5, -1234567890123456789012345678.12345678,
            case when n % 2 = 0 then text end, timestamptz '2026-01-01 00:00:00.000001+00' + n * interval '1 hour',
            '2026-02-01 00:00:00+00', n
       from unnest($1::text[]) with ordinality as given(text, n)`,
    [HARD_TEXTS],
  );
  await client.query(
    `insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, status, quantity, price,
                         filled_quantity, filled_notional, average_fill_price, realized_pnl, execution_venue,
                         submitted_at, error_message, created_at, version)
     select 'o' || n, 's' || n, '00000000-0000-4000-8000-000000000001', case n % 2 when 0 then 'BTC-USD' else 'ETH-USD' end,
            'buy', 'limit', 'partially_filled', 2, 0.00000003, 0.00000001, 0.0000000000000003, 0.00000003,
            -0.00000001, 'exchange', '2026-01-02T00:00:00Z', text,
            timestamptz '2026-01-01 00:00:00.123456+00' + n * interval '1 hour', 3
       from unnest($1::text[]) with ordinality as given(text, n)`,
    [HARD_TEXTS],
  );
  await client.query(
    `insert into trades (trade_id, order_id, strategy_id, account_id, instrument_id, side, quantity, price, commission,
                         realized_pnl, execution_venue, exchange_trade_id, liquidity, executed_at, notes, trace_id)
     select 't' || n, order_id, strategy_id, account_id, instrument_id, side, 0.00000001, 999999999999.99999999, 0.5,
            -0.00000001, 'exchange', 'e' || n, case when n % 2 = 0 then 'maker' end,
            created_at + interval '0.000001 s', nullif(text, 'null'), case when n = 1 then repeat('a', 32) end
       from unnest($1::text[]) with ordinality as given(text, n) join orders on order_id = 'o' || n`,
    [HARD_TEXTS],
  );
  await client.query(
    `insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price, current_price,
                            marked_at, opened_at, closed_at, realized_pnl)
     select 'p' || n, 's1', '00000000-0000-4000-8000-000000000001', 'BTC-USD', case n when 1 then -0.5 else 0 end, 50000.1,
            51000, '2026-01-03T00:00:00.5Z', '2026-01-03T00:00:00Z', case n when 2 then timestamptz '2026-01-04T00:00:00Z' end,
            -7.25 from generate_series(1, 2) as n`,
  );
  await fillArchives(client);
}

/** What has been archived, and trades that are managed: one that is over and one that is not. */
async function fillArchives(client: pg.ClientBase): Promise<void> {
  await client.query(
    `select move_to_archive('trades', 'trade_id', '{t12,t13}'), move_to_archive('orders', 'order_id', '{o12,o13}')`,
  );
  await client.query(`select move_to_archive('positions', 'position_id', '{p2}')`);
  await client.query(
    `insert into managed_trades (trade_id, symbol, side, status, quantity, initial_quantity, leverage, margin_usd, entry_price,
                                 entry_time, exit_price, exit_time, close_reason, pnl_usd, pnl_pct, r_multiple, model, metadata,
                                 archived_at, created_at, version)
     values ('m1', 'BTC-USD', 'long', 'open', 1, 1, 10, 5000, 50000, '2026-01-01T00:00:00.000001Z', null, null, null, 0, 0,
             null, '=model', '{"a": "b"}', null, '2026-01-01T00:00:00Z', 4),
            ('m2', 'BTC-USD', 'short', 'closed', 1, 1, 10, 5000, 50000, '2026-01-01T00:00:00Z', 48000,
             '2026-01-02T00:00:00Z', 'tp', 1949, 1234567890123456789012345678901234567890.12345678, -0.5, null, '{}',
             '2026-01-02T00:00:00.5Z', '2026-01-01T00:00:00Z', 7)`,
  );
}

/** Minute bars from the start of 2026 on, in two months. */
export async function fillCandles(client: pg.ClientBase, count: number): Promise<void> {
  const bars = `select timestamptz '2026-01-31T22:00:00Z' + n * interval '1 minute' as start from generate_series(0, ${count - 1}) as n`;
  await client.query(`insert into assets (code) values ('BTC'), ('USD')`);
  await client.query(`insert into symbols (symbol, base_currency, quote_currency) values ('BTC-USD', 'BTC', 'USD')`);
  await client.query(`select ensure_candle_partitions(array(${bars}))`);
  await client.query(
    `insert into candles (symbol, "interval", start_time, end_time, open, high, low, close, volume, vwap, turnover, is_closed,
                          origin, covered_minutes, metadata)
     select 'BTC-USD', '1m', start, start + interval '1 minute', 100.5, 101, 99.12345678, 100, 12.5, 100.25,
            1253.1250000000000001, true, 'REPORTED', 1, '{"a": [1, null]}' from (${bars}) as bars`,
  );
}
