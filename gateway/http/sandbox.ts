/** Apollo Sandbox, embedded. Its code comes from Apollo's servers; without them the page says where the other explorer is. */
import type { ServerResponse } from 'node:http';
import { explorerTabs } from '../explorer-tabs.ts';

const SCRIPT = 'https://embeddable-sandbox.cdn.apollographql.com/_latest/embeddable-sandbox.umd.production.min.js';

const [first] = explorerTabs;

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Trading data graph: Apollo Sandbox</title>
    <style>
      html, body, #sandbox { height: 100%; margin: 0; }
      #offline { display: none; font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 0 auto; padding: 20vh 1rem 0; }
    </style>
  </head>
  <body>
    <div id="offline">
      <h1>Apollo Sandbox cannot be reached</h1>
      <p>It is loaded from Apollo's servers, and this browser does not reach them.</p>
      <p>The explorer at <a href="/graphql">/graphql</a> does the same and needs no other machine.</p>
    </div>
    <div id="sandbox"></div>
    <script>
      function showOffline() {
        document.getElementById('offline').style.display = 'block';
        document.getElementById('sandbox').style.display = 'none';
      }
    </script>
    <script src="${SCRIPT}" onerror="showOffline()"></script>
    <script>
      if (window.EmbeddedSandbox) {
        new window.EmbeddedSandbox({
          target: '#sandbox',
          initialEndpoint: location.origin + '/graphql',
          initialState: ${JSON.stringify({ document: first?.query, variables: JSON.parse(first?.variables ?? '{}') })},
        });
      } else showOffline();
    </script>
  </body>
</html>
`;

export function sendSandbox(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff' });
  response.end(page);
}
