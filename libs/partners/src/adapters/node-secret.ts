import { hash, randomBytes } from 'node:crypto';
import { uuidV7 } from '#kernel';
import type { EnrolmentClerk } from '../enrolments.js';

/** 256 unpredictable bits, base64url. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

/** Node's hashes and chance. Who judges a CSR comes from outside: certificates are the apps' business. */
export function nodeClerk(digestCsr: EnrolmentClerk['digestCsr']): EnrolmentClerk {
  return {
    digest: (data) => hash('sha256', data, 'buffer').toString('base64url'),
    secret: newSecret,
    uuid: (at) => uuidV7(at.getTime(), randomBytes(10)),
    digestCsr,
  };
}
