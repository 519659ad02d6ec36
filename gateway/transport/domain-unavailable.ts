/** Thrown by a transport when the subgraph cannot be reached or does not answer like one. */
export class DomainUnavailable extends Error {
  constructor(domain: string, options?: ErrorOptions) {
    super(`The ${domain} subgraph does not answer`, options);
    this.name = 'DomainUnavailable';
  }
}

/** Thrown in place of a call to a subgraph that is left alone: nothing was sent. */
export class CircuitOpen extends DomainUnavailable {
  constructor(domain: string) {
    super(domain, { cause: new Error('It is left alone because it did not answer') });
    this.name = 'CircuitOpen';
  }
}
