import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Signer } from '#evidence';
import { type PublicJwks, publicJwks } from '../keys.js';

/** Signers, or, where keys are replaced while the process runs, what answers the set as it is now. */
export const PUBLISHED_SIGNERS = Symbol('PUBLISHED_SIGNERS');

/** The public halves of the keys that this door signs with, for everybody. */
@ApiTags('keys')
@Controller('.well-known')
export class JwksController {
  constructor(@Inject(PUBLISHED_SIGNERS) private readonly signers: readonly Signer[] | (() => PublicJwks)) {}

  @Get('jwks.json')
  @Header('content-type', 'application/jwk-set+json')
  @Header('cache-control', 'public, max-age=300')
  @ApiOperation({ summary: 'The keys that receipts, event tokens and exports of ours are signed with (RFC 7517)', security: [] })
  published(): PublicJwks {
    return typeof this.signers === 'function' ? this.signers() : publicJwks(this.signers);
  }
}
