import type { Config } from '#platform';

export interface SeedReport {
  /** One line for the screen. */
  readonly line: string;
  /** Logins made now with the console password: it is shown only for these. */
  readonly staff: readonly string[];
}

/** Sample data of a development installation; what is there already stays as it is. */
export async function seed(_config: Config, _consolePassword: string): Promise<SeedReport> {
  return { line: 'sample data: none', staff: [] };
}
