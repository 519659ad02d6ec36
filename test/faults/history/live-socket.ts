/** One subscription over one WebSocket (graphql-transport-ws), whose connection a test may treat as badly as it likes. */
import WebSocket from 'ws';

export interface LiveSocket {
  /** The data of each result, until the stream ends or the connection does, in whatever way. */
  data: AsyncIterable<Record<string, unknown>>;
  /** Says goodbye. */
  leave(): void;
  /** Is gone without a word. */
  vanish(): void;
  /** Reads nothing for a while. */
  pause(ms: number): void;
}

export function subscribe(url: string, query: string, variables: Record<string, unknown>): LiveSocket {
  const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
  const queue: Record<string, unknown>[] = [];
  let hasEnded = false;
  let wake = () => {};
  const send = (message: object) => socket.send(JSON.stringify(message));

  socket.on('error', () => undefined); // it closes as well, which says all
  socket.on('close', () => end());
  socket.on('open', () => send({ type: 'connection_init' }));
  socket.on('message', (text) => take(JSON.parse(String(text)) as { type: string; payload?: Payload }));

  function take({ type, payload }: { type: string; payload?: Payload }): void {
    if (type === 'connection_ack') send({ type: 'subscribe', id: 's', payload: { query, variables } });
    else if (type === 'ping') send({ type: 'pong' });
    else if (type === 'next' && payload?.data) queue.push(payload.data);
    else if (type !== 'pong') socket.close(); // an error or the end: either way nothing more comes
    wake();
  }

  function end(): void {
    hasEnded = true;
    wake();
  }

  async function* data() {
    for (;;) {
      const next = queue.shift();
      if (next) yield next;
      else if (hasEnded) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }

  return {
    data: data(),
    leave() {
      if (socket.readyState === WebSocket.OPEN) send({ type: 'complete', id: 's' });
      socket.close();
      end();
    },
    vanish() {
      socket.terminate();
      end();
    },
    pause(ms) {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.pause();
      setTimeout(() => socket.resume(), ms);
    },
  };
}

interface Payload {
  data?: Record<string, unknown> | null;
}
