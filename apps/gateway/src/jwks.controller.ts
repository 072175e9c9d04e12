import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Signer } from '#evidence';
import { type PublicJwks, publicJwks } from '#platform';

export const PUBLISHED_SIGNERS = Symbol('PUBLISHED_SIGNERS');

@ApiTags('keys')
@Controller('.well-known')
export class JwksController {
  private readonly jwks: PublicJwks;

  constructor(@Inject(PUBLISHED_SIGNERS) signers: readonly Signer[]) {
    this.jwks = publicJwks(signers);
  }

  @Get('jwks.json')
  @Header('content-type', 'application/jwk-set+json')
  @Header('cache-control', 'public, max-age=300')
  @ApiOperation({ summary: 'The keys that our receipts, event tokens and exports are signed with (RFC 7517)' })
  published(): PublicJwks {
    return this.jwks;
  }
}
