/** A missing resolver is no type error: every field of every type is selected once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

describe('the contract', () => {
  it('says how the custodian does', async () => {
    const { data, errors } = await graph.run('{ custodianHealth { domain } custodianFeed { domain } }');
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      custodianHealth: { domain: 'custodian' },
      custodianFeed: { domain: 'custodian' },
    });
  });

  it('has a health of its own', async () => {
    const [{ health }] = await graph.sql('custodian', 'select health_check() as health');
    expect(health).toMatchObject({ schema: 'custodian', status: 'healthy' });
  });
});
