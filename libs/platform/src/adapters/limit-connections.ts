import type { Server } from 'node:net';
import type { Logger } from 'pino';
import { Sparing } from '../sparing.js';
import { refusedTotal } from './refused-total.js';

/**
 * Lets a listening server have so many connections open; another one is closed as it comes. Counted as `connections.too_many` and told to the log
 * once a second: there is nobody yet to answer.
 */
export function limitConnections(server: Server, connectionsMax: number, logger: Logger): void {
  const told = new Sparing(1);
  server.maxConnections = connectionsMax;
  server.on('drop', () => {
    refusedTotal.inc({ code: 'connections.too_many' });
    const leftOut = told.pass('connections.too_many', performance.now());
    if (leftOut !== undefined) logger.warn({ connectionsMax, leftOut }, 'too many connections: new ones are closed');
  });
}
