import { Command } from 'commander';
import { vi } from 'vitest';
import { register } from '../../apps/cli/src/commands/policy.js';

/** Runs `tallystick policy …` as the user would type it; answers what it printed. */
export async function policy(...args: string[]): Promise<string> {
  const program = new Command('tallystick').exitOverride();
  register(program);
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const aside = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  try {
    await program.parseAsync(['policy', ...args], { from: 'user' });
    return printed.mock.calls.map(([line]) => String(line)).join('\n');
  } finally {
    printed.mockRestore();
    aside.mockRestore();
  }
}
