// Gives each process a share of a core: it runs for that share of every ten milliseconds and is stopped for the rest. On a machine whose cores
// are all busy this is how one sees what a further process adds. node throttle.mjs <share> <pid>; SIGTERM lets the process go.
import { setTimeout as pause } from 'node:timers/promises';

const PERIOD_MS = 10;

const [share, pid] = process.argv.slice(2).map(Number);
let held = true;
process.once('SIGTERM', () => (held = false));
try {
  while (held) {
    process.kill(pid, 'SIGSTOP');
    await pause(PERIOD_MS * (1 - share));
    process.kill(pid, 'SIGCONT');
    await pause(PERIOD_MS * share);
  }
} finally {
  process.kill(pid, 'SIGCONT');
}
