import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const MAIN = 'dist/apps/console/src/main.js';

/** Runs a process to its end; answers its exit code and every line that it wrote anywhere. */
function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: unknown; lines: string[] }> {
  const { PATH } = process.env;
  return new Promise((resolve) =>
    execFile(process.execPath, args, { env: { PATH, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, lines: `${stdout}${stderr}`.trimEnd().split('\n') }),
    ),
  );
}

describe.runIf(existsSync(MAIN))('a process', () => {
  it('that cannot start says so in one line of JSON', async () => {
    const { code, lines } = await run([MAIN], { TALLYSTICK_ENV: 'nowhere' });
    expect([code, lines.map((line) => JSON.parse(line) as object)]).toMatchObject([
      1,
      [{ level: 60, app: 'console', msg: 'console cannot start' }],
    ]);
  });

  it('that breaks while its threads are busy tells it in one line, after what libraries said meanwhile', async () => {
    const program = `import { pbkdf2 } from 'node:crypto';
      import { runApp } from './dist/libs/platform/src/index.js';
      await runApp('test', async () => {
        for (let thread = 0; thread < 8; thread++) pbkdf2('a', 'salt', 500_000, 32, 'sha256', () => undefined);
        process.emitWarning('careful\\nwith that');
        console.error('prisma:error', 'one\\ntwo');
        setTimeout(() => Promise.reject(new Error('\\nbroken\\nin two')), 0);
        await new Promise(() => undefined);
      });`;
    const { code, lines } = await run(['--input-type=module', '-e', program], { TALLYSTICK_ENV: 'test' });
    expect([code, lines.map((line) => JSON.parse(line) as object)]).toMatchObject([
      1,
      [
        { app: 'test', msg: 'prisma:error one two', by: 'console.error' },
        { app: 'test', msg: 'warning', error: 'careful with that' },
        { level: 60, app: 'test', error: { message: 'broken in two' } },
      ],
    ]);
  });
});
