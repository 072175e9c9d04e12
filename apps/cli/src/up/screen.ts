import { existsSync } from 'node:fs';
import path from 'node:path';
import { DOORS, entryOf, urlOf } from './doors.js';
import type { Environment } from './installation.js';

export interface Opened {
  readonly environment: Environment;
  /** Accounts that were made now; their password is shown this once. */
  readonly console?: Login;
}

export interface Login {
  readonly logins: readonly string[];
  readonly password: string;
}

export function loginLine({ logins, password }: Login): string {
  return `Console: sign in as ${logins.join(', or ')}; password (shown only now): ${password}`;
}

/** What a newcomer sees last: where the doors are, how to get in, what to try, how to stop. */
export function screen({ environment, console: staff }: Opened): string {
  const folder = environment['TALLYSTICK_HOME']!;
  const below = path.relative(process.cwd(), folder) || '.';
  const home = below.startsWith('..') ? folder : below;
  const doors = DOORS.filter(({ app }) => existsSync(entryOf(app))).map(
    (door) => `    ${door.app.padEnd(13)} ${urlOf(door, environment).padEnd(25)} ${door.forWhom}`,
  );
  const login = staff && ['', `  ${loginLine(staff)}`];
  return [
    '',
    '  Tallystick is running.',
    '',
    ...doors,
    ...(login ?? []),
    '',
    '  Try it, in bash:',
    `    . ${home}/try.env`,
    '    curl --cacert "$TALLY_CA" --cert "$TALLY_CERT" --key "$TALLY_KEY" "$TALLY_GATEWAY/v1/participants/me"',
    `    curl -H "authorization: Bearer $TALLY_TOKEN" -H "idempotency-key: $(node -p 'crypto.randomUUID()')" \\`,
    '      -H "content-type: application/json" "$TALLY_DECISIONS/v1/decisions" \\',
    `      -d '{"subject":"'$TALLY_SUBJECT'","service":"checkout","amount":{"amount":"199.00","currency":"CNY"},"mode":"EVALUATE"}'`,
    `    npm run -s tallystick -- export --day $(date -u +%F) --out ${home}/day.tallystick`,
    '',
    '  The whole story: npm run demo      How it is: npm run status      Stop: npm run down      Delete the data: npm run reset',
  ].join('\n');
}
