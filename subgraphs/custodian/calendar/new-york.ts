/** New York's clock, in which cut-offs are said. Its offset follows daylight saving time, as the system's zones have it. */

const ZONE = 'America/New_York';

const parts = new Intl.DateTimeFormat('en-CA', {
  timeZone: ZONE,
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

export interface LocalTime {
  /** "2026-11-23" */
  date: string;
  /** "16:00:00" */
  time: string;
}

/** What the clock in New York shows at an instant. */
export function newYorkTime(at: Date): LocalTime {
  const shown = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    date: `${shown.year}-${shown.month}-${shown.day}`,
    time: `${shown.hour}:${shown.minute}:${shown.second}`,
  };
}

/**
 * The instant at which the clock in New York shows that. Of an hour that comes twice it is the first; of one that is left
 * out, the instant an hour later on the clock.
 */
export function newYorkInstant({ date, time }: LocalTime): Date {
  const asUtc = Date.parse(`${date}T${time}Z`);
  const guesses = [4, 5].map((hours) => new Date(asUtc + hours * 3_600_000)); // summer, winter
  const exact = guesses.find((guess) => {
    const shown = newYorkTime(guess);
    return shown.date === date && shown.time === time;
  });
  return exact ?? (guesses[1] as Date);
}
