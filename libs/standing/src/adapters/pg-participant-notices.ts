import type { TellParticipants } from '#partners/adapters/participant-rows';
import { ABOUT_ITSELF } from '../event.js';
import { nodeClerk } from './node-notary.js';
import { PgStandingBook } from './pg-standing-book.js';

/** Puts what a participant is to hear about itself (its certificates, its keys) into its event queue. */
export const tellParticipants: TellParticipants = async (tx, notices) => {
  const events = notices.map((notice) => ({
    ...notice,
    id: nodeClerk.uuid(notice.origin.at),
    ref: { shard: notice.origin.shard, uuid: ABOUT_ITSELF },
  }));
  await new PgStandingBook(tx).addEvents(events);
};
