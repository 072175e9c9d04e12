import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { parseStrictly } from '#contract';
import { checkTokens, GatewayKeys, type GatewayKeyView, type Participant, ParticipantRegistry } from '#partners';
import type { Config } from '#platform';
import { CONFIG } from '#platform/adapters/platform.module';
import { Caller } from '../channel/caller.js';

export const gatewayKeyAnswer = z.strictObject({
  check: z.uuid(),
  valid: z
    .array(
      z
        .int()
        .min(0)
        .max(checkTokens - 1),
    )
    .max(checkTokens),
});

/** Our own next key: used towards a participant only once it has shown that it verifies it (CONTRACT.md §1). */
@ApiTags('participants')
@Controller('v1/participants/me/gateway-keys')
export class GatewayKeysController {
  constructor(
    @Inject(GatewayKeys) private readonly keys: GatewayKeys,
    @Inject(ParticipantRegistry) private readonly registry: ParticipantRegistry,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get(':kid/check')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Eight JWS under our announced key (typ key-check+jwt), some forged: find out which verify' })
  check(@Caller() caller: Participant, @Param('kid') kid: string): object {
    return this.keys.check(caller.id, kid, this.config.GATEWAY_ORIGIN);
  }

  @Post(':kid/check')
  @HttpCode(200)
  @ApiOperation({ summary: '{ check, valid: [indexes of the tokens that verify] }; from now on we sign with this key for you' })
  async prove(@Caller() caller: Participant, @Param('kid') kid: string, @Body() body: unknown): Promise<{ keys: GatewayKeyView[] }> {
    await this.keys.prove(caller.id, kid, parseStrictly(gatewayKeyAnswer, body, 'gateway_key.malformed'));
    return { keys: this.keys.view(this.registry.get(caller.id)) };
  }
}
