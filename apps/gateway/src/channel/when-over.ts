import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { KeptOn } from '#platform';

type Goodbye = () => void;

/** What is still to be done: for each answer, and for each connection all of its answers. */
const ofAnswer = new KeptOn<FastifyReply['raw'], Goodbye[]>();
const ofConnection = new KeptOn<Socket, Set<Goodbye>>();

/**
 * Calls `done` once nothing follows on this answer: it is out, or its connection is gone, be it before this was asked. The connection is heard,
 * too: on Node 20 an answer that waits behind another of its connection never closes by itself (on 24 it does).
 */
export function whenOver({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply, done: Goodbye): void {
  if (socket.destroyed || raw.closed) return done();
  const known = ofAnswer.get(raw);
  if (known) return void known.push(done);
  const goodbyes = [done];
  ofAnswer.set(raw, goodbyes);
  const open = openAnswersOf(socket);
  const over = () => {
    open.delete(over);
    for (const goodbye of goodbyes.splice(0)) goodbye();
  };
  open.add(over);
  raw.once('close', over);
}

function openAnswersOf(socket: Socket): Set<Goodbye> {
  const known = ofConnection.get(socket);
  if (known) return known;
  const open = new Set<Goodbye>();
  ofConnection.set(socket, open);
  socket.once('close', () => open.forEach((over) => over()));
  return open;
}
