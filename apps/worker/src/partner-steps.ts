import type { Clock } from '#kernel';
import { IssueCertificates, type TimeKeeper } from '#partners';
import { createIssuer, findIssuingAuthority } from '#partners/adapters/issuing-authority';
import type { PrismaEnrolmentStore } from '#partners/adapters/prisma-enrolment-store';
import type { Config } from '#platform';
import { issueForCsr } from '../../../certs/issue.js';
import type { SweepStep } from './sweep.js';

/** What time does to partners, and, where this worker holds an issuing key, the certificates they asked for. */
export function partnerSteps(config: Config, keeper: TimeKeeper, enrolments: PrismaEnrolmentStore, clock: Clock): SweepStep[] {
  const authority = findIssuingAuthority(config);
  const issuing = authority && new IssueCertificates(enrolments, createIssuer(authority, issueForCsr), clock);
  return [
    { name: 'partners that time changed', run: () => keeper.run() },
    ...(issuing ? [{ name: 'certificates that were asked for', run: () => issuing.run() }] : []),
  ];
}
