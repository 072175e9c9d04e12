import { printable } from '#contract';

/** One question to a receiver: something that it must take, or something that it must refuse. */
export interface Probe {
  /** The refusal that is expected, in the words of the contract; `good` for what must be taken. */
  readonly name: string;
  readonly about: string;
  /** What is wrong with the answer; undefined: it is right. */
  run(): Promise<string | undefined>;
}

export interface ProbeResult {
  readonly name: string;
  readonly about: string;
  readonly passed: boolean;
  /** What was seen instead. */
  readonly saw?: string;
}

/** One after the other: some repeat what an earlier one sent. A probe that breaks has failed. */
export async function runProbes(probes: readonly Probe[]): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (const { name, about, run } of probes) {
    const saw = await run().catch((error: unknown) => (error as Error).message);
    results.push({ name, about, passed: saw === undefined, ...(saw === undefined ? {} : { saw }) });
  }
  return results;
}

export function failedOf(results: readonly ProbeResult[]): string[] {
  return results.filter(({ passed }) => !passed).map(({ name }) => name);
}

/** A table for the screen, its last line the score. */
export function tableOf(target: string, results: readonly ProbeResult[]): string[] {
  const width = Math.max(...results.map(({ name }) => name.length));
  const rows = results.map(
    ({ name, about, passed, saw }) => `${passed ? 'pass' : 'FAIL'}  ${name.padEnd(width)}  ${about}${saw ? `: ${printable(saw)}` : ''}`,
  );
  const passed = results.length - failedOf(results).length;
  return [...rows, `${target}: ${passed} of ${results.length} probes passed`];
}
