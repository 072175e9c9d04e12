import { existsSync } from 'node:fs';
import path from 'node:path';
import { DOORS, entryOf, urlOf } from './doors.js';
import type { Opened } from './run-installation.js';

/** What a newcomer sees last: where the doors are, how to get in, what to try, how to stop. */
export function screen({ environment, console: staff }: Opened): string {
  const home = path.relative(process.cwd(), environment['TALLYSTICK_HOME']!) || '.';
  const doors = DOORS.filter(({ app }) => existsSync(entryOf(app))).map(
    (door) => `    ${door.app.padEnd(13)} ${urlOf(door, environment).padEnd(25)} ${door.forWhom}`,
  );
  const login = staff && ['', `  Console login (shown only now): ${staff.logins.join(', ')}, password ${staff.password}`];
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
