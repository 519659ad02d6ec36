/**
 * Why a socket is closed. Beside these, graphql-transport-ws closes with
 *
 * | Code | Reason |
 * | --- | --- |
 * | 4400 | a message that the protocol does not know |
 * | 4401 | an operation before `connection_init` |
 * | 4406 | another subprotocol than graphql-transport-ws |
 * | 4408 | no `connection_init` within 5 seconds |
 * | 4409 | an operation with the id of one that runs |
 * | 4429 | a second `connection_init` |
 *
 * and WebSocket itself with 1009 for a message that is too large, 1002 and 1007 for one that is malformed.
 */
export const CloseCode = {
  /** The gateway is about to stop: subscribe at another one, after the last cursor. */
  GOING_AWAY: 1001,
  /** Nothing was taken for too long, or far too much is waiting: come back with the last cursor. */
  STALLED: 4410,
  /** Operations were begun faster than is allowed, and went on so when they were refused. */
  TOO_MANY_OPERATIONS: 4429,
  /** A fault of the gateway. */
  INTERNAL_ERROR: 4500,
} as const;
