/**
 * Managed trades in Redis, shared by any number of processes. A trade is a hash of texts (`<prefix>trade-store:<id>`), an
 * empty one for null; sorted sets by time of entry hold the ids of the open set, of each symbol's part of it, and of
 * everything. A write is one script: the hash and its indexes change together. A trade that has ended lives 30 days more.
 */
import type { Redis } from 'ioredis';
import { dec } from '../../../../platform/decimal.ts';
import { isOpen } from '../rules/lifecycle.ts';
import type { ManagedTrade } from '../rules/managed-trade.ts';
import { amount } from '../rules/results.ts';
import type { PutOutcome, TradeReplica } from '../trade-store.ts';
import { canonical, FIELDS, fromTexts, microseconds, toTexts } from './fields.ts';

/** How long a trade is kept that has ended. */
export const ENDED_TTL_MS = 2_592_000_000; // 30 days, domain.md §1.8

/** Trades that one round trip reads or writes. */
const CHUNK = 500;

const COLUMNS = FIELDS.map(({ column }) => column);

// KEYS: the trade, all, open, open of the symbol. ARGV: id, version it must have (-1: none higher), new version, whether
// it is open, time of entry, when it expires (ms), then columns and texts in turn.
// Answers 0 for another version, 1 written, 2 the same already, 3 replaced what had the same version.
const WRITE = `
  local stored = tonumber(redis.call('hget', KEYS[1], 'version') or '0') or 0
  local from, version, outcome = tonumber(ARGV[2]), tonumber(ARGV[3]), 1
  if from >= 0 then
    if stored ~= from then return 0 end
  elseif stored > version then
    return 0
  elseif stored == version then
    outcome = 2
    for at = 7, #ARGV, 2 do
      if redis.call('hget', KEYS[1], ARGV[at]) ~= ARGV[at + 1] then outcome = 3 break end
    end
  end
  if outcome ~= 2 then
    redis.call('del', KEYS[1])
    redis.call('hset', KEYS[1], unpack(ARGV, 7))
  end
  redis.call('zadd', KEYS[2], ARGV[5], ARGV[1])
  if ARGV[4] == '1' then
    redis.call('zadd', KEYS[3], ARGV[5], ARGV[1])
    redis.call('zadd', KEYS[4], ARGV[5], ARGV[1])
  else
    redis.call('zrem', KEYS[3], ARGV[1])
    redis.call('zrem', KEYS[4], ARGV[1])
    if ARGV[6] ~= '0' then redis.call('pexpireat', KEYS[1], ARGV[6]) end
  end
  return outcome`;

const OUTCOMES: readonly PutOutcome[] = ['older', 'written', 'unchanged', 'replaced'];

export interface RedisTradesOptions {
  redis: Redis;
  /** What every key begins with: "trading:". */
  prefix: string;
  /** @default ENDED_TTL_MS */
  endedTtlMs?: number;
}

/** An index names a trade that Redis has lost: it evicted it, or was emptied while nobody looked. */
export class TradesLost extends Error {
  constructor(tradeIds: readonly string[]) {
    super(`Redis has lost ${tradeIds.length} open managed trades`);
    this.name = 'TradesLost';
  }
}

export function redisTrades({ redis, prefix, endedTtlMs = ENDED_TTL_MS }: RedisTradesOptions): TradeReplica {
  const keyOf = (name: string) => `${prefix}trade-store:${name}`;
  const all = `${prefix}trade-store-index`;
  const open = keyOf('open');
  const openOf = (symbol: string) => keyOf(`open:${symbol}`);
  /** Ids that look like the names of indexes are told from them. */
  const hashOf = (tradeId: string) => keyOf(/^(open|=)/.test(tradeId) ? `=${tradeId}` : tradeId);

  const write = async (trade: ManagedTrade, from: number): Promise<PutOutcome> => {
    const { tradeId, symbol, version, entryTime, status, updatedAt } = trade;
    const hasEnded = !isOpen(trade) && status !== 'pending';
    const texts = toTexts(trade);
    const outcome = await redis.eval(
      WRITE,
      4,
      hashOf(tradeId),
      all,
      open,
      openOf(symbol),
      tradeId,
      from,
      version,
      isOpen(trade) ? 1 : 0,
      microseconds(entryTime),
      hasEnded ? Date.parse(updatedAt) + endedTtlMs : 0,
      ...COLUMNS.flatMap((column) => [column, texts[column] ?? '']),
    );
    return OUTCOMES[outcome as number] as PutOutcome;
  };
  const hashes = async (tradeIds: readonly string[]) => {
    const found: (readonly (string | null)[])[] = [];
    for (let at = 0; at < tradeIds.length; at += CHUNK) {
      const pipeline = redis.pipeline();
      for (const tradeId of tradeIds.slice(at, at + CHUNK)) pipeline.hmget(hashOf(tradeId), ...COLUMNS);
      for (const [error, texts] of (await pipeline.exec()) ?? []) {
        if (error) throw error;
        found.push(texts as (string | null)[]);
      }
    }
    return found;
  };
  const read = async (tradeId: string) => toTrade((await hashes([tradeId]))[0] as readonly (string | null)[]);
  /** Trades of an index that must all be there. */
  const opened = async (index: string) => {
    const ids = await redis.zrevrange(index, 0, -1);
    const trades = (await hashes(ids)).map(toTrade);
    const lost = ids.filter((_, at) => trades[at] === null);
    if (lost.length > 0) throw new TradesLost(lost);
    return trades as ManagedTrade[];
  };
  /** Ids in the order of the index from `offset` on, `limit` of them that are still there; others leave the index. */
  const living = async (limit: number, offset: number) => {
    for (;;) {
      const ids = limit === 0 ? [] : await redis.zrevrange(all, offset, limit < 0 ? -1 : offset + limit - 1);
      const versions = await Promise.all(ids.map((tradeId) => redis.hexists(hashOf(tradeId), 'version')));
      const gone = ids.filter((_, at) => versions[at] === 0);
      if (gone.length === 0) return ids;
      for (let at = 0; at < gone.length; at += CHUNK) await redis.zrem(all, ...gone.slice(at, at + CHUNK));
    }
  };

  return {
    name: 'REDIS',
    async initialize() {
      await redis.ping();
    },
    read,
    write: async (trade, from) => ((await write(trade, from)) === 'older' ? null : canonical(trade)),
    open: (symbol) => opened(symbol === undefined ? open : openOf(symbol)),
    async list(limit, offset) {
      const trades = (await hashes(await living(limit, offset))).map(toTrade);
      return trades.filter((trade) => trade !== null);
    },
    async totals() {
      const ids = await living(-1, 0);
      const [openCount, trades] = [await redis.zcard(open), (await hashes(ids)).map(toTrade)];
      const closed = trades.filter((trade) => trade?.status === 'closed') as ManagedTrade[];
      const sum = closed.reduce((total, { pnlUsd }) => total.plus(pnlUsd), dec(0));
      return { total: ids.length, open: openCount, closed: closed.length, totalPnlUsd: amount(sum) };
    },
    readMany: async (tradeIds) => (await hashes(tradeIds)).map(readable),
    ids: () => living(-1, 0),
    async put(trades) {
      const outcomes: PutOutcome[] = [];
      for (let at = 0; at < trades.length; at += CHUNK) {
        outcomes.push(...(await Promise.all(trades.slice(at, at + CHUNK).map((trade) => write(trade, -1)))));
      }
      return outcomes;
    },
    async remove(tradeIds) {
      for (const tradeId of tradeIds) {
        const symbol = await redis.hget(hashOf(tradeId), 'symbol');
        const pipeline = redis.pipeline().del(hashOf(tradeId)).zrem(all, tradeId).zrem(open, tradeId);
        if (symbol !== null) pipeline.zrem(openOf(symbol), tradeId);
        await pipeline.exec();
      }
    },
    async reset() {
      for (const tradeId of await redis.zrange(all, 0, -1)) await redis.del(hashOf(tradeId));
      for await (const keys of redis.scanStream({ match: `${keyOf('open')}*` })) {
        for (const key of keys as string[]) await redis.del(key);
      }
      await redis.del(all);
    },
    async close() {
      redis.disconnect();
    },
  };
}

/** The trade of a hash's texts in the order of COLUMNS; null when there is none. Throws when it cannot be read. */
function toTrade(texts: readonly (string | null)[]): ManagedTrade | null {
  if (texts.every((text) => text === null)) return null;
  const present = COLUMNS.flatMap((column, at) => {
    const text = texts[at] ?? null;
    return text === null ? [] : [[column, text === '' ? null : text] as const];
  });
  return fromTexts(Object.fromEntries(present));
}

function readable(texts: readonly (string | null)[]): ManagedTrade | null {
  try {
    return toTrade(texts);
  } catch (error) {
    if (error instanceof Error && error.message.includes('cannot be read')) return null;
    throw error;
  }
}
