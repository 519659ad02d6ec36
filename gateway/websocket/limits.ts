export interface WebSocketLimits {
  /** Sockets at once. */
  connections: number;
  /** Operations at once on one socket. */
  operations: number;
  /** Operations that one socket may begin a second, after its first `operationBurst`. */
  operationsPerSecond: number;
  /** Operations that one socket may begin at once: all that it has, when it comes back. */
  operationBurst: number;
  /** Size of a message; bulk ingestion goes over HTTP. */
  messageBytes: number;
  /** Messages that wait for the client to take them. Each operation has one at most, so more are answers to a flood. */
  pendingMessages: number;
  /** Time from opening a socket to its first message. */
  initWaitMs: number;
  /** A silent peer is asked so often whether it is there. */
  keepAliveMs: number;
}

export const WEBSOCKET_LIMITS: WebSocketLimits = {
  connections: 10_000,
  operations: 200,
  operationsPerSecond: 100,
  operationBurst: 400,
  messageBytes: 1024 * 1024,
  pendingMessages: 1_000,
  initWaitMs: 5_000, // 5 seconds
  keepAliveMs: 15_000, // 15 seconds
};
