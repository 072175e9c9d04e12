import { EventEmitter } from 'node:events';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { LargeTransfers, largeTransfersMax } from './large-transfers.js';

const asked = (url: string, socket = new EventEmitter()) => ({ routeOptions: { url }, raw: { socket } }) as unknown as FastifyRequest;
const answering = () => ({ raw: new EventEmitter() }) as unknown as FastifyReply;
const RESULTS = '/v1/record-batches/:id/results';

describe('large transfers of one participant', () => {
  it('are so many at once, whichever they are, and one more when one is over', () => {
    const transfers = new LargeTransfers();
    const replies = Array.from({ length: largeTransfersMax }, answering);
    for (const [i, reply] of replies.entries()) transfers.begin('bank-a', asked(i % 2 === 0 ? '/v1/record-batches' : RESULTS), reply);
    const another = () => transfers.begin('bank-a', asked(RESULTS), answering());
    expect(another).toThrow(expect.objectContaining({ code: 'transfers.too_many', kind: 'throttled' }));
    expect(() => transfers.begin('bank-b', asked(RESULTS), answering())).not.toThrow();
    replies[0]!.raw.emit('close');
    expect(another).not.toThrow();
    expect(another).toThrow(expect.objectContaining({ code: 'transfers.too_many' }));
  });

  it('are over with their connection, also such as wait behind another on it, or were too late', () => {
    const transfers = new LargeTransfers();
    const socket = Object.assign(new EventEmitter(), { destroyed: false });
    for (let i = 0; i < largeTransfersMax; i++) transfers.begin('bank-a', asked(RESULTS, socket), answering());
    socket.destroyed = true;
    socket.emit('close');
    for (let i = 0; i < 2 * largeTransfersMax; i++) transfers.begin('bank-a', asked(RESULTS, socket), answering());
    expect(() => transfers.begin('bank-a', asked(RESULTS), answering())).not.toThrow();
  });

  it('are not what small calls are', () => {
    const transfers = new LargeTransfers();
    for (let i = 0; i < 10 * largeTransfersMax; i++) transfers.begin('bank-a', asked('/v1/records'), answering());
  });
});
