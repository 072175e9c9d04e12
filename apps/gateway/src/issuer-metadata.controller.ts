import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Config } from '#platform';
import { CONFIG } from '#platform/adapters/platform.module';

/** Where software that knows SD-JWT VCs, and not us, finds the keys of an issuer (draft-ietf-oauth-sd-jwt-vc, JWT VC Issuer Metadata). */
@ApiTags('ratings')
@Controller('.well-known')
export class IssuerMetadataController {
  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'GATEWAY_ORIGIN'>) {}

  @Get('jwt-vc-issuer')
  @Header('cache-control', 'public, max-age=300')
  @ApiOperation({ summary: 'Who issues credentials here, and where its keys are' })
  metadata(): { issuer: string; jwks_uri: string } {
    const issuer = this.config.GATEWAY_ORIGIN;
    return { issuer, jwks_uri: `${issuer}/.well-known/jwks.json` };
  }
}
