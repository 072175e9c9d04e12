import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Clock } from '#kernel';
import { type Participant, type ParticipantCertificate, participantKeysMax } from '#partners';
import type { RecordFinder } from '#records';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import type { TransportIdentity } from '#platform/adapters/mtls-peer';
import { CLOCK } from '#platform/adapters/platform.module';
import { callsPerSecondMax } from './channel/call-budget.js';
import { Caller, CallerCertificate } from './channel/caller.js';

@ApiTags('participants')
@Controller('v1/participants')
export class ParticipantsController {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PgRecordBook) private readonly records: RecordFinder,
  ) {}

  @Get('me')
  @ApiOperation({ summary: 'What we know about you: state, certificates, keys, last seq, quotas, and what is still missing' })
  @ApiOkResponse({ description: 'the participant that the client certificate identifies' })
  async me(@Caller() caller: Participant, @CallerCertificate() current: TransportIdentity): Promise<object> {
    const { id, name, state, certificates, keys } = caller;
    return {
      ...{ id, name, state, missing: missing(caller) },
      certificate: {
        'x5t#S256': current.x5t,
        serial: current.serial,
        notAfter: current.notAfter,
        daysLeft: this.daysLeft(current.notAfter),
      },
      certificates: certificates.map((certificate) => ({
        ...{ 'x5t#S256': certificate.x5t, serial: certificate.serial, notAfter: certificate.notAfter },
        state: this.stateOf(certificate),
      })),
      keys: keys.map(({ kid, alg, state, addedAt }) => ({ kid, alg, state, addedAt })),
      lastSeq: (await this.records.lastSeq(id)) ?? null,
      quotas: { callsPerSecondMax, participantKeysMax },
    };
  }

  private stateOf({ revoked, notAfter }: ParticipantCertificate): string {
    if (revoked) return 'REVOKED';
    return notAfter < this.clock.now() ? 'EXPIRED' : 'ACTIVE';
  }

  private daysLeft(notAfter: Date): number {
    return Math.floor((notAfter.getTime() - this.clock.now().getTime()) / 86_400_000);
  }
}

function missing({ state, keys }: Participant): string[] {
  const hasKey = keys.some((key) => key.state === 'ACTIVE' || key.state === 'READY');
  return [...(hasKey ? [] : ['an active signing key']), ...(state === 'ACTIVE' ? [] : ['activation by the platform’s operator'])];
}
