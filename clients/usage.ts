/** What a program says of its command line where it cannot be understood. */

/** What `read` makes of it. Throws an error whose message ends with the usage where `read` throws. */
export function orUsage<Arguments>(usage: string, read: () => Arguments): Arguments {
  try {
    return read();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}
