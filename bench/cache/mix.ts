/** Many reads and 100 writes a second by another service with plain SQL, half of them prices and half of them positions. */
import { Redis } from 'ioredis';
import { sleep } from '../live/bench.ts';
import { heading, report } from '../live/report.ts';
import type { Bench } from './contenders.ts';
import { type BenchDatabase, CONTENDERS, type Contender } from './database.ts';
import { ACCOUNTS, accountId, INSTRUMENTS, positionId, symbolOf } from './portfolio.ts';
import type { Asked } from './requests.ts';

const SECONDS = 6;
const WRITES_PER_SECOND = 100;
const READS_PER_SECOND = 30;

const AIM = 0.99;

export async function mix({ database, contenders, scale }: Bench): Promise<void> {
  const seconds = Math.ceil(SECONDS * scale);
  const asking = { seconds, perSecond: READS_PER_SECOND };
  const asked = {} as Record<Contender, Asked>;
  for (const name of CONTENDERS) {
    await contenders[name].ask('measure', { warmUp: 2 * ACCOUNTS, count: ACCOUNTS });
    const writing = new AbortController();
    const written = write(database, name, writing.signal);
    asked[name] = await contenders[name].ask('keepAsking', asking);
    writing.abort();
    await written;
  }

  heading(`${READS_PER_SECOND} portfolios and ${WRITES_PER_SECOND} writes a second; plain has its writer delete`);
  for (const name of ['uncached', 'process', 'redis'] as const) {
    const { hitRatio, cpuMs, p50Ms, p99Ms, statements } = asked[name];
    const { plain } = asked;
    report({
      title: `${name}: hit ratio in %`,
      ours: percent(hitRatio),
      plain: percent(plain.hitRatio),
      ...(name !== 'uncached' && { aim: { text: `> ${AIM * 100} %`, isMet: (hitRatio ?? 0) > AIM } }),
      note: [
        `CPU ${cpuMs.toFixed(2)} / ${plain.cpuMs.toFixed(2)} ms a request`,
        `SQL ${statements.toFixed(2)} / ${plain.statements.toFixed(2)}`,
        `p50 ${p50Ms.toFixed(1)} / ${plain.p50Ms.toFixed(1)} ms`,
        `p99 ${p99Ms.toFixed(1)} / ${plain.p99Ms.toFixed(1)} ms`,
      ].join(', '),
    });
  }
}

function percent(ratio: number | null): string {
  return ratio === null ? '-' : (ratio * 100).toFixed(2);
}

/** Writes until the signal, and deletes what the plain cache has of it, as every writer of such a cache must. */
async function write(database: BenchDatabase, contender: Contender, signal: AbortSignal): Promise<void> {
  const market = await database.connect(contender, 'market-data');
  const trading = await database.connect(contender, 'trading');
  const redis = new Redis(database.redisUrl);
  const start = performance.now();
  for (let nth = 0; !signal.aborted; nth++) {
    const dueMs = start + (nth * 1_000) / WRITES_PER_SECOND - performance.now();
    if (dueMs > 0) await sleep(dueMs);
    const instrument = nth % INSTRUMENTS;
    const price = 100 + (nth % 50);
    if (nth % 2 === 0) {
      const symbol = symbolOf(instrument);
      await market.query('update tickers set last_price = $1 where symbol = $2', [price, symbol]);
      await redis.del(`plain:tickers:${symbol}`);
    } else {
      const account = Math.floor(nth / 2) % ACCOUNTS;
      const id = positionId(account, instrument);
      await trading.query('update positions set current_price = $1 where position_id = $2', [price, id]);
      await redis.del(`plain:positions:${accountId(account)}`, `plain:totals:${accountId(account)}`);
    }
  }
  redis.disconnect();
  await Promise.all([market.end(), trading.end()]);
}
