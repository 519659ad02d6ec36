/** A reader of a stream of changes: it collects what it is told and lets a test wait for it. */
import type { ChangeEvent } from '../../../platform/feed/row-changes.ts';

export interface Listening<Row> {
  all: ChangeEvent<Row>[];
  /** What was told without PROGRESS. */
  changes(): ChangeEvent<Row>[];
  /** Waits for something that fits, told already or from now on. */
  until(fits: (event: ChangeEvent<Row>) => boolean): Promise<ChangeEvent<Row>>;
  /** Waits until so many events have been told beside PROGRESS. */
  told(count: number): Promise<void>;
  /** Waits for the first PROGRESS: the snapshot is whole. */
  begun(): Promise<ChangeEvent<Row>>;
  /** Takes nothing more until it goes on. */
  pause(): void;
  goOn(): void;
  /** Calls `hear` with each event from now on. */
  each(hear: (event: ChangeEvent<Row>) => void): void;
  leave(): Promise<void>;
  /** Resolves when the stream ends, with the error that ended it if one did. */
  ended: Promise<unknown>;
}

export function listen<Row>(stream: AsyncIterableIterator<ChangeEvent<Row>, undefined>): Listening<Row> {
  const all: ChangeEvent<Row>[] = [];
  const waiting = new Set<(event: ChangeEvent<Row>) => void>();
  let changeCount = 0;
  let paused = Promise.withResolvers<void>();
  paused.resolve();
  const read = async () => {
    for await (const event of stream) {
      all.push(event);
      if (event.kind !== 'PROGRESS') changeCount++;
      for (const look of [...waiting]) look(event);
      await paused.promise;
    }
  };
  const ended = read().then(
    () => undefined,
    (error: unknown) => error,
  );
  const until: Listening<Row>['until'] = (fits) =>
    new Promise((resolve, reject) => {
      const found = all.find(fits);
      if (found) return resolve(found);
      const look = (event: ChangeEvent<Row>) => {
        if (!fits(event)) return;
        waiting.delete(look);
        resolve(event);
      };
      waiting.add(look);
      void ended.then((error) => reject(error ?? new Error('the stream ended before what was waited for')));
    });
  return {
    all,
    changes: () => all.filter(({ kind }) => kind !== 'PROGRESS'),
    until,
    told: async (count) => {
      if (changeCount < count) await until(() => changeCount >= count);
    },
    begun: () => until(({ kind }) => kind === 'PROGRESS'),
    pause: () => {
      paused = Promise.withResolvers();
    },
    goOn: () => paused.resolve(),
    each: (hear) => {
      waiting.add(hear);
    },
    leave: async () => {
      await stream.return?.();
    },
    ended,
  };
}
