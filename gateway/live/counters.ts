/** What live streams hold and have done, for tests and for whoever watches the process. */
export interface LiveCounters {
  /** Subscriptions of clients. */
  members: number;
  /** Streams that several clients may share. */
  groups: number;
  /** Subscriptions at subgraphs, those that are being opened again among them. */
  upstreams: number;
  /** Waiting times before a lost upstream is opened again that are running now. */
  timers: number;
  /** Text kept for members that have not taken it. */
  retainedBytes: number;
  /** Events read since the start, each completed and made text once. */
  events: number;
  /** Subscriptions opened at subgraphs since the start. */
  opened: number;
}

export function createCounters(): LiveCounters {
  return { members: 0, groups: 0, upstreams: 0, timers: 0, retainedBytes: 0, events: 0, opened: 0 };
}
