/** A subscriber of a test: it collects what it is told and lets the test wait for it. */
import type { GraphClient } from '../../platform/graph-client.ts';

export interface Told {
  kind: 'SNAPSHOT' | 'UPSERT' | 'DELETE' | 'PROGRESS' | 'RESYNC';
  cursor: string;
  at: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its subscription asked for
  [item: string]: any;
}

export interface Watcher {
  /** Everything told so far. */
  all: Told[];
  /** What was told without PROGRESS. */
  changes(): Told[];
  /** Waits until something told so far, or from now on, fits. */
  until(fits: (told: Told) => boolean): Promise<Told>;
  /** Waits until the first PROGRESS: the snapshot is whole. */
  begun(): Promise<Told>;
  leave(): Promise<void>;
  /** Resolves when the stream ends, with the error that ended it if one did. */
  ended: Promise<unknown>;
}

/** Subscribes; `field` is the name of the subscription's one root field. */
export function watch(client: GraphClient, field: string, document: string, variables: object = {}): Watcher {
  const all: Told[] = [];
  const waiting = new Set<() => void>();
  const stream = client.subscribe<Record<string, Told>>(document, { ...variables });
  const read = async () => {
    for await (const data of stream) {
      all.push(data[field] as Told);
      for (const look of [...waiting]) look();
    }
  };
  const ended = read().then(
    () => undefined,
    (error: unknown) => error,
  );
  void ended.then(() => {
    for (const look of [...waiting]) look();
  });

  const watcher: Watcher = {
    all,
    changes: () => all.filter(({ kind }) => kind !== 'PROGRESS'),
    until: (fits) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = all.find(fits);
          if (found) {
            waiting.delete(look);
            resolve(found);
          }
        };
        waiting.add(look);
        look();
        void ended.then((error) => reject(error ?? new Error('the stream ended before what was waited for')));
      }),
    begun: () => watcher.until(({ kind }) => kind === 'PROGRESS'),
    leave: async () => {
      await stream.return?.();
    },
    ended,
  };
  return watcher;
}
