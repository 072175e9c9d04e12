import { SetMetadata } from '@nestjs/common';

export const READS = Symbol('READS');

/** Says what of a person a handler tells. Each answer of such a handler is one fact, saved before it leaves (CONTRACT.md §9). */
export const Reads = (what: string) => SetMetadata(READS, what);
