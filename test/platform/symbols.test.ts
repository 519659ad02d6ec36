import { describe, expect, it } from 'vitest';
import { normaliseSymbol } from '../../platform/symbols.ts';

describe('a symbol', () => {
  it.each([
    ['BTC/USD', 'BTC-USD'],
    ['btc-usd', 'BTC-USD'],
    ['BTCUSDT', 'BTC-USDT'],
    ['BTCUSD', 'BTC-USD'],
    ['ETHBTC', 'ETH-BTC'],
    ['usdtusd', 'USDT-USD'],
    ['BTC-USD-PERP', 'BTC-USD-PERP'],
    ['BTCUSD-PERP', 'BTC-USD-PERP'],
    [' eth/usdt ', 'ETH-USDT'],
  ])('%s is written %s', (text, symbol) => {
    expect(normaliseSymbol(text)).toBe(symbol);
  });

  it.each(['', 'BTC', 'BTC-BTC', 'BTC--USD', "BTC-USD'; drop table symbols", 'BTC-USD-SPOT', 'ÄÖ-USD'])(
    'refuses %s',
    (text) => {
      expect(() => normaliseSymbol(text)).toThrow('is not a symbol. Write BASE-QUOTE, for example BTC-USD.');
    },
  );
});
