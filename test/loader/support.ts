import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'graphql';
import { onTestFinished } from 'vitest';
import { type LoaderArguments, readArguments } from '../../clients/loader/arguments.ts';
import type { Item } from '../../clients/loader/items.ts';
import { loadFile } from '../../clients/loader/load-file.ts';
import { type Plan, planFiles } from '../../clients/loader/plan.ts';
import { noProgress } from '../../clients/loader/progress.ts';
import type { Row } from '../../clients/loader/rows.ts';
import type { Tally } from '../../clients/loader/tally.ts';
import { createGraphClient, type GraphClient } from '../../platform/graph-client.ts';
import { single } from '../../platform/streams.ts';
import type { TestGraph } from '../support/graph.ts';

/** A folder with these files that goes away with the test. */
export function folder(files: Record<string, string | Buffer>): string {
  const path = mkdtempSync(join(tmpdir(), 'loader-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

/** A header and rows as the text of a file. */
export function csv(header: string, rows: readonly string[]): string {
  return [header, ...rows, ''].join('\n');
}

/** Rows as the csv reader gives them, from line 2 on. */
export async function* rowsOf(header: string, lines: readonly string[]): AsyncGenerator<Row> {
  const names = header.split(',');
  for (const [index, text] of lines.entries()) {
    const cells = text.split(',');
    const line = index + 2;
    if (cells.length !== names.length) yield { line, reason: 'the row is torn' };
    else yield { line, fields: Object.fromEntries(names.map((name, place) => [name, cells[place] ?? ''])) };
  }
}

export async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** The inputs of the good items. */
export function inputsOf<Input>(items: readonly Item<Input>[]): Input[] {
  return items.flatMap((item) => ('input' in item ? [item.input] : []));
}

/** "line: reason" of the bad items. */
export function reasonsOf(items: readonly Item<unknown>[]): string[] {
  return items.flatMap((item) => ('reason' in item ? [`${item.line}: ${item.reason}`] : []));
}

/** The arguments as the command line gives them. */
export function argumentsOf(...argv: string[]): LoaderArguments {
  const asked = readArguments(argv);
  if (asked === 'help') throw new Error('Help was asked for');
  return asked;
}

/** What the loader sees as the graph: the market-data subgraph alone. */
export function clientOf(graph: TestGraph): GraphClient {
  const subgraph = graph.subgraphs.get('market-data');
  if (!subgraph) throw new Error('There is no market-data subgraph');
  return createGraphClient(async (document, variables) =>
    single(await subgraph.execute({ document: parse(document), variables, headers: {} })),
  );
}

/** Plans and loads, as the command does; the tallies are by the files' names. */
export async function load(
  graph: GraphClient,
  argv: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<{ plan: Plan; tallies: Record<string, Tally> }> {
  const plan = await planFiles(argumentsOf(...argv));
  const tallies: Record<string, Tally> = {};
  for (const file of plan.files) {
    const name = file.path.split('/').at(-1) ?? '';
    tallies[name] = await loadFile(file, { graph, progress: noProgress, signal });
  }
  return { plan, tallies };
}
