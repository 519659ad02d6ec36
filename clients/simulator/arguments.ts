/** What the simulator is asked to do, read from its command line. */
import { parseArgs } from 'node:util';
import { orUsage } from '../usage.ts';

export interface SimulatorArguments {
  seed: number;
  /** Ticks a second of each market. */
  rate: number;
  /** Recordings to replay instead of walking at random. */
  replay: string[];
  /** How many times faster than it was recorded. */
  speed: number;
  /** Whether the replay begins again at its end. */
  loop: boolean;
}

export const USAGE = `Usage: npm run simulate -- [options]

Lets the market of a running graph live until Ctrl-C: prices tick, a market maker keeps orders in the books, the demo's
strategies trade. The graph is the one at GATEWAY_URL (http://127.0.0.1:4000/graphql).
  --seed N        another seed, another market (default 1)
  --rate N        prices a second of each market, 0.1 to 20 (default 1)

Or replays recorded trade prints, quotes and order books as if they happened now, under their venue's name and "-replay":
  --replay FILE…  files as npm run load takes them
  --speed N       how many times faster than they were recorded, 0.1 to 1000 (default 1)
  --loop          begins again at the end

  --help          shows this`;

/** The arguments, or 'help'. Throws an error whose message ends with the usage when they cannot be understood. */
export function readArguments(argv: readonly string[]): SimulatorArguments | 'help' {
  return orUsage(USAGE, () => understand(argv));
}

function understand(argv: readonly string[]): SimulatorArguments | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      seed: text,
      rate: text,
      replay: { type: 'string', multiple: true },
      speed: text,
      loop: flag,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const replay = [...(values.replay ?? []), ...(values.replay ? positionals : [])];
  if (!values.replay && positionals.length > 0)
    throw new Error(`"${positionals[0]}" is no option; is --replay missing?`);
  if (replay.length === 0 && (values.loop || values.speed !== undefined)) {
    throw new Error('--speed and --loop are about a --replay.');
  }
  return {
    seed: numberOf('seed', values.seed ?? '1', { from: 0, to: Number.MAX_SAFE_INTEGER, isWhole: true }),
    rate: numberOf('rate', values.rate ?? '1', { from: 0.1, to: 20 }),
    speed: numberOf('speed', values.speed ?? '1', { from: 0.1, to: 1_000 }),
    loop: values.loop ?? false,
    replay,
  };
}

function numberOf(
  name: string,
  text: string,
  { from, to, isWhole = false }: { from: number; to: number; isWhole?: boolean },
) {
  const value = Number(text);
  if (text.trim() !== '' && value >= from && value <= to && (!isWhole || Number.isInteger(value))) return value;
  throw new Error(`--${name} must be a ${isWhole ? 'whole ' : ''}number from ${from} to ${to}, but got "${text}".`);
}
