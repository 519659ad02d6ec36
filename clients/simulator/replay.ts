/** Replays recordings: what happened in them happens again from now on, at the speed that was asked for. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { Logger } from '../../platform/log.ts';
import type { OrderBookInput, PriceInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import { ensureInstrument } from '../loader/listings.ts';
import { type Outcome, orderBookUpload, priceUpload } from '../loader/uploads.ts';
import { barRoutine } from './bars.ts';
import { messageOf } from './commands.ts';
import { CLOCK_LEEWAY_MS, createMinuteBars, type MinuteBars } from './minute-bars.ts';
import { resumeOpenBar } from './open-bars.ts';
import { type Recorded, type Recording, readRecording, recordedAtMs } from './recordings.ts';
import { pauseAfter, runnerOf } from './routine.ts';
import { Stopped, stoppable } from './stoppable.ts';
import { type Timeline, timelineOf } from './timeline.ts';
import { createTroubles, type Troubles } from './troubles.ts';

export interface ReplayOptions {
  graph: GraphClient;
  log: Logger;
  recordings: readonly Recording[];
  /** How many times faster than it was recorded. */
  speed: number;
  /** Whether it begins again at its end. */
  loop: boolean;
}

/** What a replay has brought into the graph so far. */
export interface Played {
  prices: number;
  books: number;
  refused: number;
}

export interface Replay {
  played: Played;
  /** Settles when the recordings have come to their end, or it was stopped. Throws when a file cannot be read. */
  done: Promise<void>;
  stop(): Promise<void>;
}

interface Player {
  graph: GraphClient;
  troubles: Troubles;
  bars: MinuteBars;
  played: Played;
  signal: AbortSignal;
}

/** Items that happen within a beat are sent together. */
const BEAT_MS = 250; // a quarter of a second
const BARS_SOURCE = 'replay';

export function startReplay(options: ReplayOptions): Replay {
  const { log, recordings, speed, loop } = options;
  const { graph, signal, stop } = stoppable(options.graph);
  const played = { prices: 0, books: 0, refused: 0 };
  const troubles = createTroubles(log, Date.now);
  const player = { graph, troubles, bars: createMinuteBars(BARS_SOURCE), played, signal };
  const ended = new AbortController();
  const charts = reportBars(player, log, AbortSignal.any([signal, ended.signal]));
  const done = playAll(player, recordings, { speed, loop })
    .catch((error: unknown) => {
      if (!(error instanceof Stopped)) throw error;
    })
    .finally(() => {
      ended.abort();
      return charts;
    });
  done.catch(() => {}); // whoever waits for it is told
  return {
    played,
    done,
    async stop() {
      await stop();
      await done.catch(() => {});
    },
  };
}

async function playAll(
  player: Player,
  recordings: readonly Recording[],
  { speed, loop }: { speed: number; loop: boolean },
): Promise<void> {
  const symbols = new Set(recordings.map(({ symbol }) => symbol));
  for (const symbol of symbols) {
    const state = await persist(player, () => ensureInstrument(player.graph, symbol));
    if (typeof state === 'object') throw new Error(`${symbol} is not known and cannot be created: ${state.refusal}`);
    await persist(player, () => resumeOpenBar(player.graph, player.bars, { symbol, source: BARS_SOURCE }));
  }
  const firsts = await Promise.all(recordings.map(firstInstant));
  const firstMs = Math.min(...firsts.filter((first) => first !== null));
  do {
    const timeline = timelineOf({ firstMs, startMs: Date.now(), speed });
    await Promise.all(recordings.map((recording) => play(player, recording, timeline)));
  } while (loop && Number.isFinite(firstMs));
}

/** When the file's first item was recorded; null when it has none. */
async function firstInstant(recording: Recording): Promise<number | null> {
  for await (const item of readRecording(recording)) if ('input' in item) return recordedAtMs(item.input);
  return null;
}

async function play(player: Player, recording: Recording, timeline: Timeline): Promise<void> {
  let batch: Recorded[] = [];
  let batchMs = 0;
  const flush = async () => {
    const sent = batch;
    batch = [];
    if (sent.length > 0) await send(player, recording, sent);
  };
  for await (const item of readRecording(recording)) {
    if ('reason' in item) {
      player.played.refused++;
      player.troubles.note(`rows of ${recording.path}`, `${recording.path}:${item.line}: ${item.reason}`);
    }
    if (!('input' in item)) continue;
    const beatMs = Math.ceil(timeline.at(item.input) / BEAT_MS) * BEAT_MS;
    if (beatMs > batchMs || batch.length >= orderBookUpload.size) {
      await flush();
      batchMs = beatMs;
      await waitUntil(beatMs, player.signal);
    }
    batch.push(timeline.place(item.input));
  }
  await flush();
}

async function waitUntil(instantMs: number, signal: AbortSignal): Promise<void> {
  const remainingMs = instantMs - Date.now();
  if (signal.aborted) throw new Stopped();
  if (remainingMs <= 0) return;
  await sleep(remainingMs, undefined, { signal }).catch(() => {
    throw new Stopped();
  });
}

async function send(player: Player, recording: Recording, batch: readonly Recorded[]): Promise<void> {
  const { graph, played, bars } = player;
  const prices = batch.flatMap((recorded): PriceInput[] => ('price' in recorded ? [recorded.price] : []));
  const books = batch.flatMap((recorded): OrderBookInput[] => ('book' in recorded ? [recorded.book] : []));
  if (prices.length > 0) {
    const outcome = await persist(player, () => priceUpload.send(graph, prices));
    played.prices += outcome.stored;
    noteRefusals(player, recording, outcome);
    for (const { symbol, timestamp, price, quantity } of prices) {
      if (price && quantity) bars.add(symbol, { atMs: Date.parse(timestamp), price, quantity });
    }
  }
  if (books.length > 0) {
    const outcome = await persist(player, () => orderBookUpload.send(graph, books));
    played.books += outcome.stored;
    noteRefusals(player, recording, outcome);
  }
}

function noteRefusals({ played, troubles }: Player, { path }: Recording, { refused }: Outcome): void {
  played.refused += refused.length;
  const [first] = refused;
  if (first) troubles.note(`refusals of ${path}`, `${path}: ${first.reason}`);
}

/** Tries until the graph answers; what is replayed late lies in the past, but nothing is missing. */
async function persist<Value>({ troubles, signal }: Player, attempt: () => Promise<Value>): Promise<Value> {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Stopped) throw error;
      troubles.note('replay', `replay: ${messageOf(error)}`);
      await waitUntil(Date.now() + pauseAfter(failures), signal);
    }
  }
}

/** Reports the bars of what is played while it is played, and once more at its end. */
async function reportBars(player: Player, log: Logger, signal: AbortSignal): Promise<void> {
  const { graph, bars, troubles } = player;
  const runner = runnerOf(barRoutine({ graph, bars, troubles }), { troubles, log });
  while (!signal.aborted) await sleep(await runner.run(Date.now()), undefined, { signal }).catch(() => {}); // the end
  await runner.run(Date.now());
  if (player.signal.aborted || !bars.isHoldingBack(Date.now())) return;
  await sleep(CLOCK_LEEWAY_MS);
  await runner.run(Date.now());
}
