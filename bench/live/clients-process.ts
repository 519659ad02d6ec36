/** The clients, in a process of their own: they follow, and measure how long each change took to get to them. */
import type { WebSocket } from 'ws';
import { clockSince } from './clock.ts';
import { type Latency, percentiles } from './percentiles.ts';
import { answerParent, roleOfThisProcess } from './processes.ts';
import { SUBJECTS, type SubjectName } from './subjects.ts';
import { type Follower, followGraph, followPlain } from './subscriber.ts';
import { usage } from './usage.ts';

export interface ClientsRole {
  clockOrigin: string;
}

export interface Crowd {
  side: 'graph' | 'plain';
  url: string;
  subject: SubjectName;
  /** One subscription each. */
  topics: string[];
  /** Subscriptions a socket; at the plain server always one. @default 1 */
  perSocket?: number;
}

export interface Heard extends Latency {
  /** Changes that got to a client, one by one. */
  told: number;
}

/** Sockets that are opened at once. */
const OPENING = 50;

const clock = clockSince(roleOfThisProcess<ClientsRole>().clockOrigin);
const sockets: WebSocket[] = [];
const latest: string[] = [];
let latencies: number[] = [];

function hear(subscription: number, stamp: string): void {
  latencies.push(clock.now() - Number(stamp));
  latest[subscription] = stamp;
}

const methods = {
  async open({ side, url, subject: name, topics, perSocket = 1 }: Crowd): Promise<void> {
    const subject = SUBJECTS[name];
    const first = latest.length;
    const followers = topics.map((topic, index): Follower => ({ index: first + index, topic }));
    for (const { index } of followers) latest[index] = '';
    const groups: Follower[][] = [];
    for (let from = 0; from < followers.length; from += perSocket) groups.push(followers.slice(from, from + perSocket));
    const place = sockets.length;
    let next = 0;
    const openOne = async () => {
      for (let group = groups[next]; group; group = groups[next]) {
        const [only] = group as [Follower];
        const at = place + next++;
        sockets[at] = await (side === 'graph'
          ? followGraph(url, subject, group, hear)
          : followPlain(url, subject, only, hear));
      }
    };
    await Promise.all(Array.from({ length: OPENING }, openOne));
  },
  /** What was heard since it was last asked. */
  heard(): Heard {
    const heard = { told: latencies.length, ...percentiles(latencies) };
    latencies = [];
    return heard;
  },
  /** The moment of the last change that each subscription heard of. */
  latest: () => latest.map(Number),
  /** The first so many sockets take nothing any more. */
  stall(count: number): void {
    for (const socket of sockets.slice(0, count)) socket.pause();
  },
  resume(): void {
    for (const socket of sockets) if (socket.isPaused) socket.resume();
  },
  usage,
};
export type ClientsMethods = typeof methods;
answerParent(methods);
