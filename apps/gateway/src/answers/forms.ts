import { z } from 'zod';

/** Forms that answers have in common. Open for what a later release adds: a client passes over names it does not know. */
export const at = z.iso.datetime();
export const text = z.string();
export const count = z.int().min(0);
export const jws = z.string().describe('a compact JWS');
export const fact = z.string().describe('fct_…: its place among the facts of the log');
export const jwk = z.record(z.string(), z.unknown()).describe('RFC 7517, the public half');
/** `next` of a list that comes in pages. */
export const next = z.string().optional().describe('more follows: the `after` of the next page; absent on the last one');
