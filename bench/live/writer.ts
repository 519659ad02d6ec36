/** Writes rows one by one, each with the moment at which it was sent. */

import type { Clock } from './clock.ts';
import type { BenchDatabase } from './database.ts';
import { percentiles } from './percentiles.ts';
import type { Subject } from './subjects.ts';

export interface Writing {
  subject: Subject;
  /** The table that is written. */
  side: 'graph' | 'plain';
  /** Keys of the rows, written in turns. */
  keys: readonly string[];
  /** Rows a second; `max` as fast as the connections go. */
  rate: number | 'max';
  seconds: number;
}

export interface Written {
  count: number;
  perSecond: number;
  /** Time from sending a write to its answer. */
  p50Ms: number;
}

const CONNECTIONS = 8;

export interface Writer {
  write(writing: Writing): Promise<Written>;
}

export function createWriter(database: BenchDatabase, clock: Clock): Writer {
  return {
    async write({ subject, side, keys, rate, seconds }) {
      const { domain, stampColumn, keyColumn } = subject;
      const table = side === 'graph' ? subject.table : subject.plainTable;
      const text = `update ${table} set ${stampColumn} = $1 where ${keyColumn} = $2`;
      const times: number[] = [];
      const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => database.connect(domain)));
      const start = clock.now();
      let taken = 0;
      const worker = async (client: (typeof clients)[number]) => {
        for (;;) {
          const nth = taken++;
          const dueMs = rate === 'max' ? 0 : start + (nth * 1_000) / rate - clock.now();
          if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs));
          const sentAt = clock.now();
          if (sentAt - start > seconds * 1_000) return;
          const key = keys[nth % keys.length] as string;
          await client.query({ name: table, text, values: [sentAt, key] });
          times.push(clock.now() - sentAt);
        }
      };
      await Promise.all(clients.map(worker));
      const elapsed = (clock.now() - start) / 1_000;
      await Promise.all(clients.map((client) => client.end()));
      return { count: times.length, perSecond: times.length / elapsed, p50Ms: percentiles(times).p50Ms };
    },
  };
}
