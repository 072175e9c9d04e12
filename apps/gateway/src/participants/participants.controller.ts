import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Clock } from '#kernel';
import { addressesMax, GatewayKeys, type Participant, participantKeysMax } from '#partners';
import { type RecordFinder, seqsLookedAtMax } from '#records';
import { PgIssuerRecords } from '#records/adapters/pg-issuer-records';
import { PgRecordBook } from '#records/adapters/pg-record-book';
import type { TransportIdentity } from '#platform/adapters/mtls-peer';
import type { Config } from '#platform';
import { CLOCK, CONFIG } from '#platform/adapters/platform.module';
import { Caller, CallerCertificate } from '../channel/caller.js';
import { missingOf } from './missing.js';
import { daysLeft, viewCertificate, viewKey } from './participant-view.js';

const gapsShownMax = 100;

@ApiTags('participants')
@Controller('v1/participants')
export class ParticipantsController {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PgRecordBook) private readonly records: RecordFinder,
    @Inject(PgIssuerRecords) private readonly issuerRecords: PgIssuerRecords,
    @Inject(GatewayKeys) private readonly gatewayKeys: GatewayKeys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('me')
  @ApiOperation({ summary: 'What we know about you: state, certificates, keys, last seq, gaps, quotas, and what is still missing' })
  @ApiOkResponse({ description: 'the participant that the client certificate identifies' })
  async me(@Caller() caller: Participant, @CallerCertificate() current: TransportIdentity): Promise<object> {
    const at = this.clock.now();
    const { id, name, state, certificates, keys, addresses } = caller;
    const gatewayKeys = this.gatewayKeys.view(caller);
    const [lastSeq, gaps] = await Promise.all([this.records.lastSeq(id), this.issuerRecords.gaps(id, gapsShownMax)]);
    return {
      id,
      name,
      state,
      missing: missingOf(caller, gatewayKeys, at),
      certificate: {
        'x5t#S256': current.x5t,
        serial: current.serial,
        notAfter: current.notAfter,
        daysLeft: daysLeft(current.notAfter, at),
      },
      certificates: certificates.map((certificate) => viewCertificate(certificate, at)),
      keys: keys.map((key) => viewKey(key, at)),
      gatewayKeys,
      addresses,
      lastSeq: lastSeq ?? null,
      gaps,
      quotas: { callsPerSecondMax: this.config.PARTNER_CALLS_PER_SECOND, participantKeysMax, addressesMax, gapsShownMax, seqsLookedAtMax },
    };
  }
}
