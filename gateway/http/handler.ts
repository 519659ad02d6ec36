/** Everything the gateway serves over HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../platform/log.ts';
import { EXPORT_PATH, readExportCall, sendExport } from '../../platform/transfer/export-http.ts';
import type { OpenExport } from '../exports.ts';
import type { OperationRunner } from '../runtime.ts';
import { sendExplorer } from './explorer.ts';
import { answerOperation } from './operation.ts';
import { sendSandbox } from './sandbox.ts';

export const GRAPHQL_PATH = '/graphql';

export interface Readiness {
  ready: boolean;
  /** Whether each subgraph can answer now. */
  subgraphs: Record<string, boolean>;
}

export interface HandlerParts {
  runner: OperationRunner;
  readiness(): Promise<Readiness>;
  /** The data of a domain as a file. */
  openExport: OpenExport;
  /** Time in which a listener to events takes nothing before its connection is closed. */
  stallMs: number;
  log: Logger;
}

export interface Handler {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Refuses what comes from now on, ends subscriptions and waits for what else is being answered. */
  drain(): Promise<void>;
}

export function createHandler({ runner, readiness, openExport, stallMs, log }: HandlerParts): Handler {
  const running = new Set<Promise<void>>();
  const draining = new AbortController();

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0];
    const { method } = request;
    if (draining.signal.aborted && path !== '/health') {
      response.setHeader('connection', 'close');
      return sendJson(response, 503, { error: 'The gateway is about to stop.' });
    }
    const answer = () => answerOperation(runner, request, response, { draining: draining.signal, stallMs });
    if (path === GRAPHQL_PATH && method === 'POST') return answer();
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', path === GRAPHQL_PATH ? 'GET, POST' : 'GET');
      return sendJson(response, 405, { error: `${method} is not served at ${path}.` });
    }
    if (path?.startsWith(EXPORT_PATH)) {
      const { signal } = draining;
      return sendExport(await openExport(readExportCall(request), signal), request, response, signal);
    }
    switch (path) {
      case GRAPHQL_PATH:
        return isBrowser(request) ? sendExplorer(request, response) : answer();
      case '/':
        response.writeHead(302, { location: GRAPHQL_PATH }).end();
        return;
      case '/sandbox':
        return sendSandbox(response);
      case '/health':
        return sendJson(response, 200, { status: 'ok' });
      case '/ready': {
        const { ready, subgraphs } = await readiness();
        return sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'unavailable', subgraphs });
      }
      default:
        return sendJson(response, 404, { error: `There is nothing at ${path}; the graph is at ${GRAPHQL_PATH}.` });
    }
  }

  return {
    handle(request, response) {
      const answered = route(request, response).catch((error: unknown) => {
        log.error({ err: error, url: request.url }, 'a request failed');
        if (response.headersSent) response.destroy();
        else sendJson(response, 500, { error: 'Internal error' });
      });
      running.add(answered);
      void answered.finally(() => running.delete(answered));
    },
    async drain() {
      draining.abort();
      await Promise.all(running);
    },
  };
}

function isBrowser(request: IncomingMessage): boolean {
  return request.headers.accept?.includes('text/html') === true && !/[?&]query=/.test(request.url ?? '');
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
