import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../subgraphs/exchange/settings.ts';

describe('the settings of the exchange', () => {
  it('are 0.1 % for either side and no KYC unless they say otherwise', () => {
    const { rates, requireKyc } = readSettings({ EXCHANGE_MAKER_FEE_RATE: '' });
    expect([rates.maker.toFixed(), rates.taker.toFixed(), requireKyc]).toEqual(['0.001', '0.001', false]);
  });

  it('are read from the environment', () => {
    const { rates, requireKyc } = readSettings({
      EXCHANGE_MAKER_FEE_RATE: '0',
      EXCHANGE_TAKER_FEE_RATE: '0.00075',
      EXCHANGE_REQUIRE_KYC: 'true',
    });
    expect([rates.maker.toFixed(), rates.taker.toFixed(), requireKyc]).toEqual(['0', '0.00075', true]);
  });

  it.each([
    { EXCHANGE_MAKER_FEE_RATE: '0.11' },
    { EXCHANGE_TAKER_FEE_RATE: '-0.001' },
    { EXCHANGE_TAKER_FEE_RATE: '1e-3' },
    { EXCHANGE_TAKER_FEE_RATE: '0.000000001' },
    { EXCHANGE_REQUIRE_KYC: 'perhaps' },
  ])('refuse %o', (environment) => {
    expect(() => readSettings(environment)).toThrow(Object.keys(environment)[0]);
  });
});
