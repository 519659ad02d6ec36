/** What subscribers ask the graph for, and what they were promised for it. */
import type { ChangeKind, Received, Subscriber, TopicName, Write } from './history.ts';
import { ACCOUNT, type Item, STRATEGY, writeOf } from './tables.ts';

interface Topic {
  mode: Subscriber['mode'];
  field: string;
  /** Field of the event that holds the row. */
  item: string;
  /** Arguments that choose what the writers write. */
  choice: string;
  selection: string;
  snapshotRows?: number;
}

const TOPICS: Readonly<Record<TopicName, Topic>> = {
  orders: {
    mode: 'lossless',
    field: 'orderChanges',
    item: 'order',
    choice: `strategyId: "${STRATEGY}"`,
    selection: 'orderId version errorMessage status',
  },
  trades: {
    mode: 'lossless',
    field: 'tradeChanges',
    item: 'trade',
    choice: `accountId: "${ACCOUNT}"`,
    selection: 'tradeId notes',
    snapshotRows: 100,
  },
  positions: {
    mode: 'conflated',
    field: 'positionChanges',
    item: 'position',
    choice: `strategyId: "${STRATEGY}"`,
    selection: 'positionId version notes quantity',
  },
};

export interface Asked {
  topic: TopicName;
  mode: Subscriber['mode'];
  snapshotRows: number | undefined;
  document: string;
  /** The event that an answer's data hold. */
  read(data: Record<string, unknown>): Received;
}

/** A subscription to all that the writers write to the topic; `more` is further arguments. */
export function ask(topic: TopicName, more = ''): Asked {
  const { mode, field, item, choice, selection, snapshotRows } = TOPICS[topic];
  return {
    topic,
    mode,
    snapshotRows,
    document: `subscription ($after: String) {
      ${field}(${choice} ${more} after: $after) { kind cursor ${item} { ${selection} } }
    }`,
    read(data) {
      const event = data[field] as { kind: ChangeKind; cursor: string } & Record<string, Item | null>;
      const row = event[item];
      const op: Write['op'] = event.kind === 'DELETE' ? 'DELETE' : 'UPSERT';
      return { kind: event.kind, cursor: event.cursor, at: performance.now(), write: row ? writeOf(op, row) : null };
    },
  };
}
