import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { explainJws, type JwsStep } from '#evidence';
import { Refusal } from '#kernel';
import { type Participant, ParticipantRegistry } from '#partners';
import { Caller } from './channel/caller.js';

const TYP = 'credit-record+jwt';

/** For integration engineers: says step by step what we make of a signature. Nothing is stored. */
@ApiTags('security')
@Controller('v1/security')
export class SecurityController {
  constructor(@Inject(ParticipantRegistry) private readonly registry: ParticipantRegistry) {}

  @Post('echo')
  @HttpCode(200)
  @ApiConsumes('application/jose')
  @ApiOperation({ summary: 'Try a JWS: each step of its verification, and which one failed and why' })
  async echo(
    @Caller() caller: Participant,
    @Body() body: unknown,
  ): Promise<{ accepted: boolean; header?: unknown; steps: readonly JwsStep[] }> {
    if (!Buffer.isBuffer(body)) throw new Refusal('unsupported_media', 'media_type.unsupported', 'send the JWS as application/jose');
    return explainJws(body, TYP, (kid) => this.registry.findKey(caller.id, kid));
  }
}
