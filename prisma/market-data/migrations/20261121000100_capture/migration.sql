select capture('assets', 'code');
select capture('symbols', 'symbol');
select capture('tickers', 'symbol');
select capture('candles', 'candle_id', '{symbol, interval}');
select capture('instrument_venues', 'instrument_venue_id', '{symbol}');
