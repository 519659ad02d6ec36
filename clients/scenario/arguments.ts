/** What `npm run scenario` is asked to do, read from its command line. */
import { parseArgs } from 'node:util';
import { orUsage } from '../usage.ts';

export const FORMATS = ['text', 'json', 'html', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

export interface ScenarioArguments {
  /** Null to list what there is. */
  scenarioId: string | null;
  /** The graph to run it in; undefined leaves the choice to the program. */
  url: string | undefined;
  /** Divides planned times; undefined makes a run take about half a minute. */
  scale: string | undefined;
  report: Format;
  /** File for the report; undefined prints it. */
  out: string | undefined;
  dryRun: boolean;
}

export const USAGE = `Usage: npm run scenario -- SCENARIO [options]
       npm run scenario -- --list [--url URL]

Runs a test scenario end to end and prints its report. Ends with status 0 when it passed, 1 when an assertion did not hold,
2 when the test itself went wrong, 124 when it took too long, 130 when it was interrupted.

  SCENARIO           id of a scenario, for example market-crash; --list shows all
  --url URL          the graph to run it in, for example http://localhost:4000/graphql; it must be started with CHAOS=on.
                     Without it: the graph at GATEWAY_URL when one answers, else one of its own, on a temporary database
                     that is removed afterwards
  --scale NUMBER     divides planned times, 1 to 1,000,000. Without it the run takes about half a minute
  --report FORMAT    ${FORMATS.join(', ')} (default text)
  --out FILE         where the report goes, instead of the screen
  --dry-run          goes through the phases without doing anything
  --list             lists the scenarios that there are
  --help             shows this`;

/** The arguments, or 'help'. Throws an error whose message ends with the usage when they cannot be understood. */
export function readArguments(argv: readonly string[]): ScenarioArguments | 'help' {
  return orUsage(USAGE, () => understand(argv));
}

function understand(argv: readonly string[]): ScenarioArguments | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      url: text,
      scale: text,
      report: text,
      out: text,
      'dry-run': flag,
      list: flag,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  if (!values.list && positionals.length !== 1) throw new Error('Name one scenario.');
  return {
    scenarioId: values.list ? null : (positionals[0] as string),
    url: values.url === undefined ? undefined : urlOf(values.url),
    scale: values.scale === undefined ? undefined : scaleOf(values.scale),
    report: reportOf(values.report ?? 'text'),
    out: values.out,
    dryRun: values['dry-run'] ?? false,
  };
}

function urlOf(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new Error(`--url must be like http://localhost:4000/graphql, but got "${text}".`);
}

function scaleOf(text: string): string {
  if (/^\d{1,7}(\.\d{1,4})?$/.test(text) && Number(text) >= 1) return text;
  throw new Error(`--scale must be a number from 1 to 1,000,000, but got "${text}".`);
}

function reportOf(text: string): Format {
  const found = FORMATS.find((format) => format === text);
  if (found === undefined) throw new Error(`--report must be one of ${FORMATS.join(', ')}, but got "${text}".`);
  return found;
}
