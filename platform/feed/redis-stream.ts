/**
 * Ticks from the leader to other processes through one capped Redis stream a domain and epoch. It is read without
 * groups, each reader by itself; what is missing or lost is in PostgreSQL.
 */
import type { Redis } from 'ioredis';
import type { Logger } from '../log.ts';
import { connectRedis } from '../redis.ts';
import type { RowChange } from './change.ts';
import { parseSnapshot } from './snapshot.ts';
import { type BroadcastPart, NOTHING, type TickBroadcast } from './tick-broadcast.ts';

/** Parts kept in the stream, about: followers read them at once. */
const STREAM_LENGTH = 1_000;

/** A part with more changes is announced, and read from PostgreSQL: Redis is no place for a bulk load. */
const CHANGES_LIMIT = 200;

/** How long one read waits for news. */
const BLOCK_MS = 1_000; // 1 second

/** Bytes that wait to be sent to Redis at most; what follows is not published. */
const BACKLOG_BYTES = 8 * 1024 ** 2; // 8 MiB

const PAUSE_MS = 200;

type Wire = Omit<BroadcastPart, 'since' | 'snapshot'> & { since: string; snapshot: string };

/** @param prefix the domain's or its instance's, with its colon: "trading:" */
export function redisBroadcast(options: { url: string; prefix: string; log: Logger }): TickBroadcast {
  const { url, prefix, log } = options;
  const key = `${prefix}changes`;
  const writer = connectRedis({ url, log });
  let reader: Redis | undefined;
  let isConnected = false;
  let isClosed = false;

  /** Reads on from what was last seen; after an interruption from the newest, since PostgreSQL fills the gap. */
  async function read(accept: (part: BroadcastPart) => void): Promise<void> {
    let last = '$';
    while (!isClosed) {
      try {
        reader ??= connectRedis({ url, log, commandTimeoutMs: BLOCK_MS * 3 });
        const answer = await reader.xread('COUNT', 100, 'BLOCK', BLOCK_MS, 'STREAMS', key, last);
        isConnected = true;
        for (const [id, [, text]] of (answer?.[0]?.[1] ?? []) as [string, [string, string]][]) {
          last = id;
          accept(fromWire(text));
        }
      } catch {
        isConnected = false;
        last = '$';
        if (!isClosed) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  return {
    publish(part) {
      if (writer.status !== 'ready' || writer.stream.writableLength > BACKLOG_BYTES) return;
      const changes = part.changes.length > CHANGES_LIMIT ? [] : part.changes;
      const isAnnounced = changes.length < part.changes.length;
      const wire = toWire({ ...part, changes, ...(isAnnounced && { previous: NOTHING, after: NOTHING }) });
      writer.xadd(key, 'MAXLEN', '~', STREAM_LENGTH, '*', 'part', wire).catch(() => undefined);
    },
    follow(accept) {
      void read(accept);
    },
    isConnected: () => isConnected,
    async close() {
      isClosed = true;
      reader?.disconnect();
      writer.disconnect();
    },
  };
}

function toWire({ since, snapshot, ...part }: BroadcastPart): string {
  return JSON.stringify({ ...part, since: since.text, snapshot: snapshot.text } satisfies Wire);
}

function fromWire(text: string): BroadcastPart {
  const { since, snapshot, ...part } = JSON.parse(text) as Wire & { changes: RowChange[] };
  return { ...part, since: parseSnapshot(since), snapshot: parseSnapshot(snapshot) };
}
