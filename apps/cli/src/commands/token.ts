import type { Command } from 'commander';
import { signJws } from '#evidence';
import { Refusal } from '#kernel';
import { ConfigError, loadSigner, parseConfig } from '#platform';

const AUDIENCE = 'tallystick-decision-api';
const minutesMax = 15;

interface TokenOptions {
  readonly caller: string;
  readonly scope: string;
  readonly minutes: string;
}

export function register(program: Command): void {
  program
    .command('token')
    .description('mint a short-lived token of an internal caller (development only); nothing but the token goes to standard output')
    .requiredOption('--caller <name>', 'the service that calls, e.g. checkout')
    .requiredOption('--scope <scopes>', 'scopes, separated by spaces, e.g. "decisions:evaluate decisions:reserve"')
    .option('--minutes <minutes>', `how long it is good, at most ${minutesMax}`, String(minutesMax))
    .action(mint);
}

function mint({ caller, scope, minutes }: TokenOptions): void {
  const config = parseConfig(process.env);
  if (config.TALLYSTICK_ENV === 'production') throw new ConfigError('production tokens come from your own issuer (INTERNAL_TOKEN_ISSUER)');
  const lifeSeconds = Math.round(Number(minutes) * 60);
  if (!(lifeSeconds >= 1 && lifeSeconds <= minutesMax * 60)) {
    throw new Refusal('malformed', 'token.minutes', `a token is good for up to ${minutesMax} minutes`, {
      limit: `minutesMax=${minutesMax}`,
    });
  }
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: config.INTERNAL_TOKEN_ISSUER, sub: caller, aud: AUDIENCE, iat, exp: iat + lifeSeconds, scope };
  console.log(signJws('JWT', claims, loadSigner(config, 'internal-issuer')));
  // Not on standard output: that is for the token, so that a script can take it.
  console.error(
    `Next: send it as "authorization: Bearer <token>" to http://${config.BIND_HOST}:${config.DECISION_HTTP_PORT} within ${minutes} minutes.`,
  );
}
