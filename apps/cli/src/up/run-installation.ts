import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig } from '#platform';
import { type Door, DOORS, entryOf, probe } from './doors.js';
import { type Environment, forDoors, OWN, readEnvironment, writeEnvironment, writeWhole } from './installation.js';
import { Keeper, type KeeperState } from './keeper.js';
import { becomeSupervisor, resign } from './lock.js';
import { openOwnDatabase } from './own-database.js';
import { prepareKeys, prepareSchema } from './prepare.js';
import { lastLines, RotatingLog } from './rotating-log.js';
import { seed } from './seed.js';
import { choosePostgres, chooseRedis, type ServerChoice } from './servers.js';
import { loginLine, type Opened } from './screen.js';
import { startApp } from './start-app.js';

/** What `up` tells the person who waits. */
export type Progress = (line: string) => void;

const READY_TIMEOUT_MS = 90_000;
const READY_STEP_MS = 150;
const RESTARTS_MAX_BEFORE_READY = 3;
/** Development CRLs last for days and an installation may run for weeks. */
const RENEW_EVERY_MS = 6 * 3_600_000;

/** One installation's processes, looked after until `stop`. */
export class RunningInstallation {
  private readonly keepers: Keeper[] = [];
  private stopped = false;
  private renewal: NodeJS.Timeout | undefined;

  constructor(private readonly home: string) {
    becomeSupervisor(home);
  }

  /** Starts everything; rejects with a sentence, and leaves nothing running, where a door does not become ready. */
  async start(settled: Environment, say: Progress): Promise<Opened> {
    try {
      return await this.startAll(settled, say);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** The servers stay; our own processes begin anew, from the newest build. */
  async restartApps(): Promise<void> {
    await Promise.all(this.keepers.filter(({ name }) => existsSync(entryOf(name))).map((keeper) => keeper.restart()));
  }

  /** Doors close before the servers they stand on. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.renewal);
    const [apps, servers] = [this.keepers.filter(({ name }) => isApp(name)), this.keepers.filter(({ name }) => !isApp(name))];
    await Promise.all(apps.map((keeper) => keeper.stop()));
    await Promise.all(servers.map((keeper) => keeper.stop()));
    rmSync(statusFile(this.home), { force: true });
    resign(this.home);
  }

  private async startAll(settled: Environment, say: Progress): Promise<Opened> {
    const last = readEnvironment(this.home);
    const [postgres, redis] = [await choosePostgres(this.home, settled, last), await chooseRedis(this.home, settled, process.env, last)];
    let environment: Environment = { ...settled, ...postgres.environment, ...redis.environment };
    // The folder is remembered before anything is in it; somebody else's URL only once it has proved right.
    if (postgres.start) writeEnvironment(this.home, environment);
    const server = await this.keepServer('postgres', postgres, say);
    if (server) environment = { ...environment, [OWN.ownerUrl]: await openOwnDatabase(server) };
    await this.keepServer('redis', redis, say);
    environment = await prepareSchema(environment, say);
    writeEnvironment(this.home, environment);
    await prepareKeys(environment, say);
    this.renewal = setInterval(() => void this.renew(environment), RENEW_EVERY_MS);
    const password = randomBytes(12).toString('base64url');
    const { line, staff } = await seed(parseConfig(environment), password);
    say(line);
    const login = staff.length > 0 ? { console: { logins: staff, password } } : {};
    try {
      await this.openDoors(environment, say);
    } catch (error) {
      // The accounts exist now: their password must not be lost with the screen that never comes.
      if (login.console) say(loginLine(login.console));
      throw error;
    }
    return { environment, ...login };
  }

  /** The doors read renewed certificates and CRLs by themselves. */
  private async renew(environment: Environment): Promise<void> {
    await prepareKeys(environment, () => undefined).catch((error: unknown) => console.error('certificates were not renewed:', error));
  }

  /** @returns the URL of the server, where it is ours. */
  private async keepServer(name: string, choice: ServerChoice, say: Progress): Promise<string | undefined> {
    const { start } = choice;
    let url: string | undefined;
    if (start) {
      const log = this.log(name);
      await this.keep(name, async () => {
        const server = await start(log);
        url = server.url;
        return server;
      });
    }
    say(choice.line);
    return url;
  }

  private async openDoors(environment: Environment, say: Progress): Promise<void> {
    const doors = DOORS.filter(({ app }) => existsSync(entryOf(app)));
    for (const { app } of DOORS) if (!existsSync(entryOf(app))) say(`${app}: not built in this version, left out`);
    for (const { app } of doors) {
      const log = this.log(app);
      await this.keep(app, () => startApp(entryOf(app), forDoors(environment), log));
    }
    await Promise.all(doors.map((door) => this.untilReady(door, environment)));
    say(`${doors.map(({ app }) => app).join(', ')}: ready`);
  }

  private async untilReady(door: Door, environment: Environment): Promise<void> {
    const keeper = this.keepers.find(({ name }) => name === door.app)!;
    const deadline = Date.now() + READY_TIMEOUT_MS;
    for (;;) {
      const answer = await probe(door, environment);
      if (answer === 'ready') return;
      const { restarts } = keeper.report();
      if (restarts >= RESTARTS_MAX_BEFORE_READY || Date.now() > deadline) {
        const file = this.logFile(door.app);
        const what = restarts > 0 ? `ended ${restarts} times while starting` : `is not ready after ${READY_TIMEOUT_MS / 1000} s: ${answer}`;
        throw new Error(`${door.app} ${what}. Its log (${file}) ends with:\n${lastLines(file)}`);
      }
      await delay(READY_STEP_MS);
    }
  }

  private async keep(name: string, start: ConstructorParameters<typeof Keeper>[1]): Promise<void> {
    if (this.stopped) throw new Error('stopped before everything was open');
    const keeper = new Keeper(name, start, () => this.writeStatus());
    this.keepers.push(keeper);
    await keeper.start();
  }

  private writeStatus(): void {
    const states: KeeperState[] = this.keepers.map((keeper) => keeper.report());
    writeWhole(statusFile(this.home), JSON.stringify(states));
  }

  private log(name: string): RotatingLog {
    return new RotatingLog(this.logFile(name));
  }

  private logFile(name: string): string {
    return path.join(this.home, 'logs', `${name}.log`);
  }
}

/** What the supervisor last said of its processes. */
export function statusFile(home: string): string {
  return path.join(home, 'status.json');
}

function isApp(name: string): boolean {
  return DOORS.some(({ app }) => app === name);
}
