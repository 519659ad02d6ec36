/** One client's socket: what graphql-ws sends by it, and whether the client takes it. */

import type { WebSocket as GraphQLSocket } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { LiveLimits } from '../limits.ts';
import { CloseCode } from './close-codes.ts';
import type { WebSocketLimits } from './limits.ts';
import { withPayload } from './payload.ts';
import { RateMeter } from './rate.ts';

/** Time a client has to answer the closing handshake. */
const CLOSE_TIMEOUT_MS = 1_000; // 1 second

export type ConnectionLimits = WebSocketLimits & Pick<LiveLimits, 'stallMs'>;

export class Connection implements GraphQLSocket {
  readonly #socket: WebSocket;
  readonly #limits: ConnectionLimits;
  /** Of the operations that it begins. */
  readonly rate: RateMeter;
  /** Messages that the client has not taken. */
  #pending = 0;
  /** When it last took one, or had all. */
  #takenAt: number;
  #heardAt: number;
  /** When it was asked whether it is there, and has said nothing since. */
  #askedAt: number | undefined;
  #isEnding = false;

  constructor(socket: WebSocket, limits: ConnectionLimits, now: number) {
    this.#socket = socket;
    this.#limits = limits;
    this.rate = new RateMeter({ perSecond: limits.operationsPerSecond, burst: limits.operationBurst }, now);
    this.#takenAt = now;
    this.#heardAt = now;
    socket.on('pong', () => this.#hear());
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Resolves when the client may be sent the next. */
  send(data: string): Promise<void> {
    const message = withPayload(data);
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== this.#socket.OPEN) return resolve();
      if (this.#pending++ === 0) this.#takenAt = Date.now();
      this.#socket.send(message, (error) => {
        this.#pending--;
        this.#takenAt = Date.now();
        if (error) reject(error);
        else resolve();
      });
      if (this.#pending > this.#limits.pendingMessages) this.#stall();
    });
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  /** Closes it for good, whether or not the client answers. */
  end(code: number, reason: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  onMessage(listen: (message: string) => Promise<void>): void {
    this.#socket.on('message', (data) => {
      this.#hear();
      listen(String(data)).catch(() => this.end(CloseCode.INTERNAL_ERROR, 'Internal error'));
    });
  }

  /** Closes the socket of a client that takes nothing, and of one that does not say that it is there. */
  check(now: number): void {
    const { stallMs, keepAliveMs } = this.#limits;
    if (this.#pending > 0) {
      if (now - this.#takenAt > stallMs) this.#stall();
    } else if (this.#askedAt !== undefined) {
      if (now - this.#askedAt > keepAliveMs) this.#socket.terminate();
    } else if (now - this.#heardAt > keepAliveMs) {
      this.#askedAt = now;
      this.#socket.ping();
    }
  }

  #hear(): void {
    this.#heardAt = Date.now();
    this.#askedAt = undefined;
  }

  #stall(): void {
    this.end(CloseCode.STALLED, 'Nothing was taken for too long');
  }
}
