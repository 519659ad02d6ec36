/** The graphql-transport-ws protocol over the gateway's operations. */
import type { IncomingHttpHeaders } from 'node:http';
import { type ExecutionArgs, type ExecutionResult, type GraphQLError, parse } from 'graphql';
import { makeServer, type Server } from 'graphql-ws';
import { callerFault } from '../errors.ts';
import type { Operation, OperationResult, OperationRunner } from '../runtime.ts';
import { createScope, type RequestScope } from '../scope.ts';
import { CloseCode } from './close-codes.ts';
import type { Connection } from './connection.ts';
import type { WebSocketLimits } from './limits.ts';
import { payloadOf, replacePayload } from './payload.ts';

/** What is known of a socket. */
export interface SocketExtra {
  connection: Connection;
  /**
   * Of the request that opened it: authorization and traceparent are used. Browsers cannot set headers there and send
   * `authorization` in the payload of connection_init.
   */
  headers: IncomingHttpHeaders;
}

/** graphql-ws wants to know whether it runs a query or a subscription; both are run alike. */
const ANY_DOCUMENT = parse('{ __typename }');

interface Pending {
  operation: Operation;
  scope: RequestScope;
}

export function createProtocol(runner: OperationRunner, limits: WebSocketLimits): Server<SocketExtra> {
  const { operations, operationsPerSecond } = limits;
  const refuse = (message: string, scope: RequestScope): readonly GraphQLError[] =>
    runner.refuse(callerFault(message, 'LIMIT_EXCEEDED'), scope).errors ?? [];

  return makeServer<Record<string, unknown>, SocketExtra>({
    connectionInitWaitTimeout: limits.initWaitMs,
    jsonMessageReplacer: replacePayload,
    onConnect({ connectionParams, extra }) {
      const authorization = connectionParams?.authorization;
      if (typeof authorization === 'string') extra.headers = { ...extra.headers, authorization };
    },
    onSubscribe({ subscriptions, extra: { connection, headers } }, _id, { query, variables, operationName }) {
      const scope = createScope(headers);
      if (Object.keys(subscriptions).length > operations) {
        return refuse(`One socket carries at most ${operations} operations at once.`, scope);
      }
      const rate = connection.rate.take(Date.now());
      if (rate === 'flood') connection.end(CloseCode.TOO_MANY_OPERATIONS, 'Too many operations a second');
      if (rate !== 'allowed')
        return refuse(`One socket begins at most ${operationsPerSecond} operations a second.`, scope);
      const operation = { query, ...(variables && { variables }), ...(operationName && { operationName }) };
      const pending: Pending = { operation, scope };
      return { document: ANY_DOCUMENT, contextValue: pending } as Pick<ExecutionArgs, 'document'> as ExecutionArgs;
    },
    execute({ contextValue }): Promise<OperationResult> {
      const { operation, scope } = contextValue as Pending;
      return runner.run(operation, scope);
    },
    onNext: (_context, _id, _payload, _args, result) => payloadOf(result as ExecutionResult),
  });
}
