/** Loading one file: read, gathered into batches, sent to the graph, counted. */
import { stat } from 'node:fs/promises';
import type { GraphClient } from '../../platform/graph-client.ts';
import { inBatches } from './batches.ts';
import type { GoodItem, Item, RecordedFile } from './items.ts';
import { ensureInstrument } from './listings.ts';
import type { Progress } from './progress.ts';
import { readFile } from './readers.ts';
import { UnreadableFile } from './source.ts';
import { newTally, noteRefusal, type Tally } from './tally.ts';
import type { Upload } from './uploads.ts';

export interface LoadContext {
  graph: GraphClient;
  progress: Progress;
  /** Asks the loader to stop; what is under way is finished. */
  signal: AbortSignal;
}

/**
 * Loads the file as far as it can be read and says what became of it.
 * @throws Error when the graph fails: what was stored until then stays
 */
export async function loadFile(file: RecordedFile, context: LoadContext): Promise<Tally> {
  const { graph, progress } = context;
  const tally = newTally();
  const began = performance.now();
  const { size } = await stat(file.path);
  progress.begin(file.path, size, tally);
  try {
    if (await isMarketReady(file, graph, tally)) {
      await readFile(file, tally, progress.read, (items, upload) => sendAll(items, upload, tally, context));
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${file.path}: ${reason} It stopped with ${tally.rows} rows read; run it again for the rest.`, {
      cause: error,
    });
  } finally {
    progress.end();
  }
  tally.seconds = (performance.now() - began) / 1_000;
  return tally;
}

async function isMarketReady(file: RecordedFile, graph: GraphClient, tally: Tally): Promise<boolean> {
  if (file.kind === 'instruments') return true;
  const { symbol } = file;
  const state = await ensureInstrument(graph, symbol);
  if (state === 'created') tally.created = symbol;
  if (typeof state === 'string') return true;
  tally.failure = `${file.path}: ${symbol} is not known and cannot be created: ${state.refusal}`;
  return false;
}

function sendAll<Input>(
  items: AsyncIterable<Item<Input>>,
  { size, days, concurrency, send }: Upload<Input>,
  tally: Tally,
  { graph, signal }: LoadContext,
): Promise<void> {
  const batching = {
    size,
    concurrency,
    days: days && { limit: days.limit, of: ({ input }: GoodItem<Input>) => days.of(input) },
  };
  return inBatches(goodOnes(items, tally, signal), batching, async (batch) => {
    const inputs = batch.map(({ input }) => input);
    const { stored, known, refused } = await send(graph, inputs);
    tally.stored += stored;
    tally.known += known;
    for (const { index, reason } of refused) noteRefusal(tally, { line: batch[index]?.line ?? 0, reason });
  });
}

/** The items to send; the others are counted. Ends early, and says so in the tally, when it must. */
async function* goodOnes<Input>(
  items: AsyncIterable<Item<Input>>,
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<GoodItem<Input>> {
  try {
    for await (const item of items) {
      if (signal.aborted) {
        tally.stopped = true;
        return;
      }
      if ('input' in item) yield item;
      else if ('reason' in item) noteRefusal(tally, item);
      else tally.known++;
    }
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    tally.failure = error.message;
  }
}
