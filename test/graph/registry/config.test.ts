/** What services are configured with: set, read, removed, and told live. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type Told, watch } from '../../support/watch.ts';
import { ask, done, refused, send } from './directory.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());
beforeEach(() => graph.sql('registry', 'delete from config_entries'));

const ENTRY = 'entryId key service type value description createdAt updatedAt version traceId';
const KEY = 'risk.interval';
const setting = (more: object = {}) => ({ key: KEY, type: 'DURATION', value: 'PT5S', ...more });
const set = async (more: object = {}) => (await done(graph, 'setConfig', setting(more), `config { ${ENTRY} }`)).config;
const read = async (args: string) =>
  (await ask(graph, `{ config(${args}) { key service type value version } }`)).config;

describe('configuration', () => {
  it('is kept as it was set, in the one spelling of its type', async () => {
    const config = await set({ type: 'DECIMAL', value: '0.0010', description: 'How often', key: 'fee' });
    expect(config).toMatchObject({ key: 'fee', service: null, type: 'DECIMAL', value: '0.001', version: 1 });
    expect(config).toMatchObject({ description: 'How often', traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(await read('key: "fee"')).toMatchObject({ value: '0.001', version: 1 });
    expect(await read('key: "nothing"')).toBeNull();
  });

  it("of a service's own goes before that of every service", async () => {
    await set();
    expect(await read(`key: "${KEY}", service: "risk"`)).toMatchObject({ value: 'PT5S', service: null });
    await set({ service: 'risk', value: 'PT1S' });
    expect(await read(`key: "${KEY}", service: "risk"`)).toMatchObject({ value: 'PT1S', service: 'risk' });
    expect(await read(`key: "${KEY}", service: "audit"`)).toMatchObject({ value: 'PT5S', service: null });
    expect(await read(`key: "${KEY}"`)).toMatchObject({ value: 'PT5S' });
    await done(graph, 'deleteConfig', { key: KEY, service: 'risk' });
    expect(await read(`key: "${KEY}", service: "risk"`)).toMatchObject({ value: 'PT5S' });
  });

  it('is read in one statement, however many settings are asked for', async () => {
    await set();
    await set({ service: 'risk', value: 'PT1S' });
    const before = graph.statements();
    const data = await ask(
      graph,
      `{ a: config(key: "${KEY}") { value } b: config(key: "${KEY}", service: "risk") { value }
         c: config(key: "none") { value } }`,
    );
    expect(data).toEqual({ a: { value: 'PT5S' }, b: { value: 'PT1S' }, c: null });
    expect(graph.statements() - before).toBeLessThanOrEqual(2); // the feed may look at the same time
  });

  it('is replaced, and keeps a description that is left out', async () => {
    await set({ description: 'How often' });
    expect(await set({ value: 'PT9S' })).toMatchObject({ value: 'PT9S', version: 2, description: 'How often' });
    expect(await set({ description: null })).toMatchObject({ version: 3, description: null });
  });

  it('is changed by who has read it last only, where that is asked for', async () => {
    expect(await refused(graph, 'setConfig', setting({ expectedVersion: 1 }))).toMatchObject({
      code: 'CONFLICT',
      currentVersion: null,
    });
    expect(await set({ expectedVersion: 0 })).toMatchObject({ version: 1 });
    expect(await refused(graph, 'setConfig', setting({ expectedVersion: 0 }))).toMatchObject({ currentVersion: 1 });
    expect(await set({ expectedVersion: 1 })).toMatchObject({ version: 2 });
    const stale = { key: KEY, expectedVersion: 1 };
    expect(await refused(graph, 'deleteConfig', stale)).toMatchObject({ code: 'CONFLICT', currentVersion: 2 });
    const { entryId } = await done(graph, 'deleteConfig', { key: KEY, expectedVersion: 2 }, 'entryId');
    expect(entryId).toEqual(expect.any(String));
    expect(await refused(graph, 'deleteConfig', { key: KEY, service: 'risk' })).toMatchObject({
      code: 'NOT_FOUND',
      id: `${KEY} of risk`,
    });
  });

  it('is changed by one of many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, number) =>
        send(graph, 'setConfig', setting({ value: `PT${number}S`, expectedVersion: 0 }), 'config { value }'),
      ),
    );
    const won = answers.filter(({ errors }) => errors.length === 0);
    expect(won).toHaveLength(1);
    expect(await read(`key: "${KEY}"`)).toMatchObject({ value: won[0].config.value, version: 1 });
  });

  it('has one type a key, wherever it is set and whoever comes at once', async () => {
    await set();
    expect(await refused(graph, 'setConfig', setting({ type: 'INTEGER', value: '5' }))).toMatchObject({
      message: `"${KEY}" is DURATION, and a key has one type. Delete its entries to make it INTEGER.`,
      path: ['input', 'type'],
    });
    const answers = await Promise.all([
      send(graph, 'setConfig', { key: 'new', type: 'INTEGER', value: '5' }),
      send(graph, 'setConfig', { key: 'new', type: 'STRING', value: '5', service: 'risk' }),
    ]);
    expect(answers.flatMap(({ errors }) => errors)).toHaveLength(1);
  });

  it.each([
    [{ value: '5 seconds' }, ['input', 'value'], 'A value of DURATION must be an ISO 8601 duration'],
    [{ key: 'Not a key' }, ['input', 'key'], 'key must be lower-case letters and digits'],
    [{ service: '*' }, ['input', 'service'], 'service must be 1 to 63 lower-case letters'],
    [{ description: '' }, ['input', 'description'], 'description must have 1 to 2000 characters'],
  ])('is refused with %o', async (wrong, path, message) => {
    const refusal = await refused(graph, 'setConfig', setting(wrong));
    expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED', path, message: expect.stringContaining(message) });
  });

  it('answers a repeated command as the first time', async () => {
    const input = setting({ idempotencyKey: 'once', value: 'PT1S' });
    await done(graph, 'setConfig', input);
    await set({ value: 'PT2S' });
    await done(graph, 'setConfig', input);
    expect(await read(`key: "${KEY}"`)).toMatchObject({ value: 'PT2S', version: 2 });
  });

  it('is listed page by page, and by what is asked for', async () => {
    await set();
    await set({ service: 'risk' });
    await set({ key: 'a', type: 'BOOLEAN', value: 'true' });
    await set({ key: 'b', type: 'JSON', value: '[1]', service: 'audit' });
    const list = async (args: string) => {
      const { configs } = await ask(graph, `{ configs${args} { nodes { key service } totalCount } }`);
      expect(configs.totalCount).toBe(configs.nodes.length);
      return configs.nodes.map((node: { key: string; service: string | null }) => `${node.key}@${node.service ?? '*'}`);
    };
    const whole = await list('');
    expect(whole.slice(0, 2)).toEqual(['a@*', 'b@audit']);
    expect(whole.slice(2).sort()).toEqual([`${KEY}@*`, `${KEY}@risk`]);
    expect(await list('(filter: { keyPrefix: "risk." , isGlobal: false })')).toEqual([`${KEY}@risk`]);
    expect(await list('(filter: { isGlobal: true, type: BOOLEAN })')).toEqual(['a@*']);
    expect(await list('(filter: { service: "audit" })')).toEqual(['b@audit']);
    expect(await list('(filter: { from: "2100-01-01T00:00:00Z" })')).toEqual([]);
    const first = await ask(graph, '{ configs(first: 1) { nodes { key } pageInfo { hasNextPage endCursor } } }');
    expect(first.configs).toMatchObject({ nodes: [{ key: 'a' }], pageInfo: { hasNextPage: true } });
    const { configs } = await ask(
      graph,
      `{ configs(first: 1, after: "${first.configs.pageInfo.endCursor}") { nodes { key } } }`,
    );
    expect(configs.nodes).toEqual([{ key: 'b' }]);
  });
});

describe('the table refuses', () => {
  it.each([
    ['integer', '1.5', 'config_entries_value'],
    ['decimal', '1e3', 'config_entries_value'],
    ['boolean', 'yes', 'config_entries_value'],
    ['float', '1', 'config_entries_type'],
  ])('a value of %s "%s"', async (type, value, constraint) => {
    const written = graph.sql('registry', 'insert into config_entries (key, value_type, value) values ($1, $2, $3)', [
      'k',
      type,
      value,
    ]);
    await expect(written).rejects.toMatchObject({ constraint });
  });
});

describe('configuration, live', () => {
  const CHANGES = /* GraphQL */ `
    subscription ($keys: [String!], $service: String, $after: String) {
      configChanges(keys: $keys, service: $service, after: $after) { kind cursor at config { key service value version } }
    }
  `;
  const brief = ({ kind, config }: Told) => [kind, config?.key, config?.service, config?.value];

  it('is told as it is, as anybody changes it, and as it goes', async () => {
    await set();
    await set({ service: 'audit', value: 'PT7S' });
    const watcher = watch(graph.client, 'configChanges', CHANGES, { keys: [KEY], service: 'risk' });
    const { cursor } = await watcher.begun();
    await set({ service: 'risk', value: 'PT1S' });
    await set({ service: 'audit', value: 'PT8S' });
    await set({ key: 'other' });
    await graph.sql('registry', `update config_entries set value = 'PT2S' where scope = 'risk'`);
    await watcher.until(({ config }) => config?.value === 'PT2S');
    await done(graph, 'deleteConfig', { key: KEY, service: 'risk' });
    await watcher.until(({ kind }) => kind === 'DELETE');
    const told = watcher.changes().map(brief);
    expect(told[0]).toEqual(['SNAPSHOT', KEY, null, 'PT5S']);
    expect(told.at(-1)).toEqual(['DELETE', KEY, 'risk', 'PT2S']);
    expect(told.slice(1).every(([, , service]) => service === 'risk')).toBe(true);
    await watcher.leave();

    const again = watch(graph.client, 'configChanges', CHANGES, { keys: [KEY], service: 'risk', after: cursor });
    await again.until(({ kind }) => kind === 'DELETE');
    expect(again.changes().map(({ kind }) => kind)).not.toContain('SNAPSHOT');
    await again.leave();
  });
});
