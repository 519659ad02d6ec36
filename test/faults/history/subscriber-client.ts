/** A dashboard: it subscribes by WebSocket, remembers its cursor, and comes back whatever happens. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session, Subscriber } from './history.ts';
import { subscribe } from './live-socket.ts';
import type { Random } from './random.ts';
import { LAST_KEY } from './tables.ts';
import type { Asked } from './topics.ts';

export interface SubscriberOptions {
  name: string;
  asked: Asked;
  /** Address of a gateway, for the next connection. */
  url: () => string;
  random: Random;
  /** Leaves by itself now and then and comes back with its cursor. @default false */
  drops?: boolean;
  /** Forgets its cursor sometimes when it comes back. @default false */
  forgets?: boolean;
  /** Leaves soon after its snapshot is whole, or after its return, when a few changes have come. @default false */
  isFleeting?: boolean;
  /** Stops reading from its connection now and then. @default false */
  isSlow?: boolean;
  startAfterMs?: number;
  concerns?: (key: string) => boolean;
  /** Until when it leaves and forgets. */
  dropping: AbortSignal;
  /** When it gives up waiting for the last row. */
  deadline: AbortSignal;
}

/** Silence after which it takes its connection for dead; a living stream is never silent for so long. */
const PATIENCE_MS = 8_000;

const LONGEST_SESSION_MS = 4_000;
const LONGEST_PAUSE_MS = 1_500;

/** Listens until the last row has come and all has been quiet after it. */
export async function runSubscriber(options: SubscriberOptions): Promise<Subscriber> {
  const { asked, random, name, concerns = () => true } = options;
  const { topic, mode, snapshotRows } = asked;
  const subscriber: Subscriber = { name, topic, mode, snapshotRows, concerns, sessions: [], isSettled: true };
  const progress = { sawLast: false, isDone: false };
  await sleep(options.startAfterMs ?? 0);
  let after: string | null = null;
  while (!progress.isDone && !options.deadline.aborted) {
    if (options.forgets && !options.dropping.aborted && random.chance(0.3)) after = null;
    const session: Session = { after, startedAt: performance.now(), events: [] };
    subscriber.sessions.push(session);
    await listen(session, options, progress);
    after = session.events.at(-1)?.cursor ?? after;
    await sleep(random.between(10, 300));
  }
  return subscriber;
}

interface Progress {
  sawLast: boolean;
  isDone: boolean;
}

async function listen(session: Session, options: SubscriberOptions, progress: Progress): Promise<void> {
  const { asked, random, drops, isFleeting, isSlow, dropping, deadline } = options;
  const socket = subscribe(options.url(), asked.document, { after: session.after });
  const drop = () => (random.chance(0.5) ? socket.vanish() : socket.leave());
  const leaving = drops && !dropping.aborted ? setTimeout(drop, random.below(LONGEST_SESSION_MS)) : undefined;
  const pausing = isSlow
    ? setInterval(() => socket.pause(random.below(LONGEST_PAUSE_MS)), LONGEST_PAUSE_MS)
    : undefined;
  const patience = setTimeout(socket.vanish, PATIENCE_MS);
  deadline.addEventListener('abort', socket.vanish);
  let changesLeft = isFleeting && !dropping.aborted ? random.between(1, 4) : Number.POSITIVE_INFINITY;
  for await (const data of socket.data) {
    const event = asked.read(data);
    session.events.push(event);
    patience.refresh();
    if (event.write?.key === LAST_KEY) progress.sawLast = true;
    progress.isDone = progress.sawLast && event.kind === 'PROGRESS';
    if (event.kind === 'UPSERT' || event.kind === 'DELETE') changesLeft--;
    if (progress.isDone || changesLeft <= 0) break;
  }
  clearTimeout(leaving);
  clearTimeout(patience);
  clearInterval(pausing);
  deadline.removeEventListener('abort', socket.vanish);
  socket.vanish();
}
