/** How far a file is: a bar on a terminal, nothing elsewhere. */
import { basename } from 'node:path';
import cliProgress from 'cli-progress';

export interface Progress {
  /** A file of so many bytes begins; its rows are counted in `counts`. */
  begin(path: string, bytes: number, counts: { readonly rows: number }): void;
  /** So many more of its bytes were read. */
  read(bytes: number): void;
  end(): void;
}

/** For files, pipes and tests. */
export const noProgress: Progress = { begin: () => {}, read: () => {}, end: () => {} };

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const REDRAWS_A_SECOND = 10;

/** A bar with the rows so far and the rows a second, drawn on the terminal and wiped at the file's end. */
export function barOn(terminal: NodeJS.WritableStream): Progress {
  let counts: { readonly rows: number } = { rows: 0 };
  let began = 0;
  let name = '';
  const format: cliProgress.GenericFormatter = ({ barsize = 0 }, { progress }) => {
    const seconds = Math.max((performance.now() - began) / 1_000, 0.001);
    const done = Math.round(progress * barsize);
    const bar = '█'.repeat(done) + '░'.repeat(barsize - done);
    const rate = WHOLE.format(counts.rows / seconds);
    return `${name} ${bar} ${Math.floor(progress * 100)} % · ${WHOLE.format(counts.rows)} rows · ${rate} a second`;
  };
  const bar = new cliProgress.SingleBar({
    stream: terminal,
    format,
    barsize: 24,
    fps: REDRAWS_A_SECOND,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false, // signals are the process's own matter
  });
  return {
    begin(path, bytes, counted) {
      counts = counted;
      began = performance.now();
      name = basename(path);
      bar.start(bytes, 0);
    },
    read: (bytes) => bar.increment(bytes),
    end: () => bar.stop(),
  };
}
