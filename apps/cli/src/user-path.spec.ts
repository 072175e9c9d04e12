import path from 'node:path';
import { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import { register } from './commands/export.js';
import { userPath } from './user-path.js';

afterEach(() => vi.unstubAllEnvs());

it('files are named from where the user stands', () => {
  vi.stubEnv('TALLYSTICK_CWD', '/home/ann');
  expect([userPath('day.tallystick'), userPath('../x'), userPath('/srv/x')]).toEqual(['/home/ann/day.tallystick', '/home/x', '/srv/x']);
  const program = new Command();
  register(program);
  const [command] = program.commands;
  command!.action(() => undefined);
  program.parse(['export', '--out', 'day.tallystick'], { from: 'user' });
  expect(command!.opts()['out']).toBe('/home/ann/day.tallystick');
  vi.stubEnv('TALLYSTICK_CWD', undefined);
  expect(userPath('x')).toBe(path.resolve('x'));
});
