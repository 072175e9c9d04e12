import { randomBytes } from 'node:crypto';
import pg from 'pg';

const DATABASE = 'tallystick';
const LOGIN = 'tallystick_door';

/** Makes our database on the embedded server where it is missing. @returns its URL, as its owner */
export async function openOwnDatabase(server: string): Promise<string> {
  await onServer(server, async (client) => {
    const known = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (known.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  });
  const url = new URL(server);
  url.pathname = DATABASE;
  return url.href;
}

/**
 * The account of the doors, with a new password at each start. It may do what `tallystick_app` may and nothing more, so that
 * not even a door that was taken over can change a fact. @returns the database's URL for them
 */
export async function openDoorLogin(ownerUrl: string): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  await onServer(ownerUrl, async (client) => {
    const known = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [LOGIN]);
    if (known.rowCount === 0) await client.query(`CREATE ROLE ${LOGIN} LOGIN IN ROLE tallystick_app`);
    await client.query(`ALTER ROLE ${LOGIN} PASSWORD '${password}'`);
  });
  const url = new URL(ownerUrl);
  url.username = LOGIN;
  url.password = password;
  return url.href;
}

async function onServer(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
