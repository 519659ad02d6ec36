import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../platform/config.ts';
import { DOMAINS, redisPrefixOf, roleOf, schemaOf } from '../../platform/domains.ts';
import { INSTANCE_LENGTH, instanceOf } from '../../platform/instances.ts';

const LONGEST = 'a'.repeat(INSTANCE_LENGTH);

const KEY = /\$\{(?:redisPrefix|prefix)\}([a-z][a-z-]*)(?=[:`])/g;

/** The words with which keys in Redis go on after a domain's prefix, as the sources have them. */
function keyWords(): string[] {
  const files = globSync('{platform,subgraphs}/**/*.ts', { cwd: new URL('../..', import.meta.url).pathname });
  const texts = files.map((file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
  return [...new Set(texts.flatMap((text) => [...text.matchAll(KEY)].map(([, word]) => word as string)))].sort();
}

describe('the instance of a domain', () => {
  it('is that of its own variable, else that of all, else none', () => {
    expect(instanceOf('trading', {})).toBeUndefined();
    expect(instanceOf('trading', { INSTANCE: '', TRADING_INSTANCE: '' })).toBeUndefined();
    expect(instanceOf('trading', { INSTANCE: 'all' })).toBe('all');
    expect(instanceOf('trading', { INSTANCE: 'all', TRADING_INSTANCE: 'lh' })).toBe('lh');
    expect(instanceOf('market-data', { INSTANCE: 'all', TRADING_INSTANCE: 'lh' })).toBe('all');
    expect(instanceOf('market-data', { MARKET_DATA_INSTANCE: 'east-1' })).toBe('east-1');
  });

  it.each(['lh', 'a', '9', 'east-1', 'a--b', LONGEST])('may be called %s', (name) => {
    expect(instanceOf('trading', { TRADING_INSTANCE: name })).toBe(name);
  });

  it.each(['LH', 'l_h', '-lh', 'lh-', 'l h', 'l.h', 'l:h', 'lh*', 'é', `${LONGEST}a`])(
    'may not be called %s',
    (name) => {
      expect(() => instanceOf('trading', { TRADING_INSTANCE: name })).toThrow(
        'TRADING_INSTANCE: must be a DNS label of lower-case letters, digits and inner dashes, of at most 32 characters, ' +
          `but got: "${name}"`,
      );
      expect(() => instanceOf('trading', { INSTANCE: name })).toThrow(/^INSTANCE: must be/);
    },
  );

  it.each(keyWords())('may not be called %s, as its singleton’s keys are', (name) => {
    expect(() => instanceOf('trading', { TRADING_INSTANCE: name })).toThrow('is a word of the domain’s own keys');
  });
});

describe('its names', () => {
  it('follow from the domain’s', () => {
    expect(schemaOf('market-data')).toBe('market_data');
    expect(schemaOf('trading', 'lh')).toBe('trading_lh');
    expect(schemaOf('market-data', 'east-1')).toBe('market_data_east_1');
    expect(roleOf('trading', 'lh')).toBe('trading_lh_adapter');
    expect(redisPrefixOf('trading')).toBe('trading:');
    expect(redisPrefixOf('trading', 'lh')).toBe('trading:lh:');
    expect(redisPrefixOf('market-data', 'east-1')).toBe('market:east-1:');
  });

  it.each([...DOMAINS])('are whole for PostgreSQL, which cuts them after 63 characters: %s', (domain) => {
    expect(roleOf(domain, LONGEST).length).toBeLessThanOrEqual(63);
  });

  it('are nobody else’s: no domain is called as another one and an instance of it', () => {
    for (const domain of DOMAINS) {
      expect(DOMAINS.filter((other) => other.startsWith(`${domain}-`))).toEqual([]);
    }
  });
});

describe('the settings of a process', () => {
  it('have the instance and the Redis user of each domain', () => {
    const { instances, redisUrls } = readConfig({ REDIS_URL: 'redis://:secret@cache', TRADING_INSTANCE: 'lh' });
    expect(instances).toMatchObject({ trading: 'lh', exchange: undefined });
    expect(redisUrls.trading).toMatch(/^redis:\/\/trading_lh_adapter:/);
    expect(redisUrls.exchange).toMatch(/^redis:\/\/exchange_adapter:/);
  });

  it('are refused with every name that is none at once', () => {
    expect(() =>
      readConfig({ PORT: 'x', INSTANCE: 'A', TRADING_INSTANCE: 'B', EXCHANGE_REDIS_URL: 'http://c' }),
    ).toThrow(/PORT: .*\n {2}INSTANCE: .*\n {2}EXCHANGE_REDIS_URL: .*\n {2}TRADING_INSTANCE: /s);
  });
});
