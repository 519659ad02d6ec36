/** One socket of the benchmark's clients, with one subscription or several. It does as little as it can itself. */
import { WebSocket } from 'ws';
import type { Subject } from './subjects.ts';

/** Told of each change: which subscription, and the moment that its writer put into the row. */
export type OnChange = (subscription: number, stamp: string) => void;

export interface Follower {
  /** Its number among all subscriptions. */
  index: number;
  topic: string;
}

interface Frame {
  type: string;
  id?: string;
  payload?: { data?: Record<string, { kind: string }>; errors?: unknown };
}

const CHANGES = new Set(['UPSERT', 'DELETE']);

/** Subscribes at the graph, in the graphql-transport-ws protocol; resolves when each subscription's snapshot is whole. */
export function followGraph(
  url: string,
  subject: Subject,
  followers: Follower[],
  onChange: OnChange,
): Promise<WebSocket> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
  const beginning = new Set(followers.map(({ index }) => idOf(index)));
  const send = (frame: object) => socket.send(JSON.stringify(frame));
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown) => {
      reject(new Error(`A subscription failed: ${typeof reason === 'string' ? reason : JSON.stringify(reason)}`));
    };
    socket.on('open', () => send({ type: 'connection_init' }));
    socket.on('error', ({ message }) => fail(message));
    socket.on('close', (code, reason) => fail(`closed with ${code} ${reason}`));
    socket.on('message', (text: Buffer) => {
      const { type, id = '', payload } = JSON.parse(text.toString()) as Frame;
      const event = payload?.data?.[subject.field];
      if (type === 'ping') send({ type: 'pong' });
      else if (type === 'connection_ack') for (const follower of followers) send(subscribe(subject, follower));
      else if (type !== 'next' || !event) fail({ type, payload });
      else if (CHANGES.has(event.kind)) onChange(Number(id.slice(1)), subject.stampOf(event as never) ?? '');
      else if (event.kind === 'PROGRESS' && beginning.delete(id) && beginning.size === 0) resolve(socket);
    });
  });
}

function subscribe({ document, variables }: Subject, { index, topic }: Follower): object {
  return { id: idOf(index), type: 'subscribe', payload: { query: document, variables: variables(topic) } };
}

/** No number: JavaScript keeps thousands of numbered things in a way that clients' own ids do not cost a server. */
function idOf(index: number): string {
  return `s${index}`;
}

/** Follows a topic at the plain server. */
export function followPlain(
  url: string,
  subject: Subject,
  { index, topic }: Follower,
  onChange: OnChange,
): Promise<WebSocket> {
  const socket = new WebSocket(`${url}?topic=${topic}`, { perMessageDeflate: false });
  socket.on('message', (text: Buffer) => {
    onChange(index, String((JSON.parse(text.toString()) as Record<string, unknown>)[subject.stampColumn]));
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.on('error', reject);
  });
}
