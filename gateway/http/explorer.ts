/** GraphiQL, whole in one page: it works without any other machine. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { explorerTabs } from '../explorer-tabs.ts';

interface Page {
  plain: Buffer;
  zipped: Buffer;
  tag: string;
}

let page: Promise<Page> | undefined;

/** The page is made when it is first asked for: it takes 9 MB, which most processes never need. */
async function makePage(): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const plain = Buffer.from(
    renderGraphiQL({
      title: 'Trading data graph',
      defaultTabs: explorerTabs.map((tab) => ({ ...tab })),
      subscriptionsProtocol: 'WS',
      shouldPersistHeaders: false,
    }),
  );
  const tag = `"${createHash('sha256').update(plain).digest('base64url')}"`;
  return { plain, zipped: await promisify(gzip)(plain), tag };
}

export async function sendExplorer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  page ??= makePage();
  const { plain, zipped, tag } = await page;
  const headers = { etag: tag, 'cache-control': 'no-cache', vary: 'accept, accept-encoding' };
  if (request.headers['if-none-match'] === tag) {
    response.writeHead(304, headers).end();
    return;
  }
  const isZipped = String(request.headers['accept-encoding']).includes('gzip');
  const body = isZipped ? zipped : plain;
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/html; charset=utf-8',
    'content-length': body.length,
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...(isZipped && { 'content-encoding': 'gzip' }),
  });
  response.end(body);
}

/** The browser itself refuses whatever would leave this machine. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "frame-ancestors 'none'",
].join('; ');
