/** Which files are meant, of what kind each is, and in what order they are loaded. */
import { glob, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LoaderArguments } from './arguments.ts';
import { readFileName } from './file-name.ts';
import type { RecordedFile } from './items.ts';
import { KINDS, type Kind, missingColumns, tellKind } from './kinds.ts';
import { readFirstLine } from './source.ts';

export interface Plan {
  files: RecordedFile[];
  /** One sentence for each file that cannot be loaded although it was asked for. */
  problems: string[];
  /** Files beside the recordings that are none themselves. */
  passedOver: string[];
}

type Choices = Omit<LoaderArguments, 'paths' | 'url'>;

/** What a look at a file gave: what to load, or why it cannot be. */
type Look = { file: RecordedFile } | { problem: string } | { unknown: string };

const LIST = new Intl.ListFormat('en-GB');
const RECORDING = /\.(csv|jsonl)(\.gz)?$/i;

/** Finds the files of the arguments and what is known of each; instruments come first, for the others need them. */
export async function planFiles({ paths, url: _, ...choices }: LoaderArguments): Promise<Plan> {
  const plan: Plan = { files: [], problems: [], passedOver: [] };
  const seen = new Set<string>();
  for (const given of paths) {
    const { found, isFolder } = await expand(given);
    if (found.length === 0) plan.problems.push(isFolder ? `${given} is empty.` : `There is no file ${given}.`);
    for (const path of found.filter((one) => !seen.has(resolve(one)))) {
      seen.add(resolve(path));
      const look = await lookAt(path, choices);
      if ('file' in look) plan.files.push(look.file);
      else if ('problem' in look) plan.problems.push(look.problem);
      else if (isFolder || !RECORDING.test(path)) plan.passedOver.push(path);
      else plan.problems.push(look.unknown);
    }
  }
  if (plan.files.length + plan.problems.length === 0) plan.problems.push('None of the files is a recording.');
  plan.files.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  return plan;
}

/** The files that a path means: itself, those in a folder, those that a pattern matches. */
async function expand(given: string): Promise<{ found: string[]; isFolder: boolean }> {
  const status = await stat(given).catch(() => null);
  if (!status) {
    const found: string[] = [];
    for await (const path of glob(given)) found.push(path);
    return { found: found.sort(), isFolder: false };
  }
  if (!status.isDirectory()) return { found: [given], isFolder: false };
  const entries = await readdir(given, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return { found: files.map(({ name }) => join(given, name)).sort(), isFolder: true };
}

async function lookAt(path: string, choices: Choices): Promise<Look> {
  let firstLine: string | null;
  try {
    firstLine = await readFirstLine(path);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  if (firstLine === null) return { unknown: `${path} is empty.` };
  const kind = choices.kind ?? tellKind(firstLine);
  if (kind === null) {
    return { unknown: `${path} is of no known kind by its first line; give --kind (${KINDS.join(', ')}).` };
  }
  const missing = missingColumns(kind, firstLine);
  if (missing.length > 0) return { problem: `${path} has no column ${missing.join(', ')}, but ${kind} need it.` };
  return identify(path, kind, choices);
}

/** Puts together what the name tells and what the person says, who is right. */
function identify(path: string, kind: Kind, choices: Choices): Look {
  if (kind === 'instruments') return { file: { path, kind } };
  const told = readFileName(path);
  const symbol = choices.symbol ?? told.symbol;
  const venue = choices.venue ?? told.venue;
  const interval = choices.interval ?? told.interval;
  const needsInterval = kind === 'bars' || kind === 'quotes';
  const missing = [
    ...(symbol === null ? ['symbol'] : []),
    ...(venue === null ? ['venue'] : []),
    ...(needsInterval && interval === null ? ['interval'] : []),
  ];
  if (symbol === null || venue === null || (needsInterval && interval === null)) {
    const flags = LIST.format(missing.map((name) => `--${name}`));
    return { problem: `The name of ${path} does not tell its ${LIST.format(missing)}: give ${flags}.` };
  }
  if (needsInterval && interval !== null) return { file: { path, kind, symbol, venue, interval } };
  if (kind === 'order-book-messages') return { file: { path, kind, symbol, venue, depth: choices.depth } };
  return { file: { path, kind: kind as 'trades' | 'order-books', symbol, venue } };
}
